// The pages work without this: it keeps a second click from paying twice, tells that a person has opened the page,
// and offers to print.

for (const form of document.querySelectorAll("[data-pay]")) {
  const button = form.querySelector("button");
  const words = button.textContent;

  form.addEventListener("submit", (event) => {
    if (button.disabled) return event.preventDefault();
    // After the submission has begun, or the browser would drop it with its button.
    setTimeout(() => {
      button.disabled = true;
      button.textContent = button.dataset.busy;
    });
  });

  // Back from the checkout, the page may be shown again just as it was left.
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    button.textContent = words;
  });
}

for (const form of document.querySelectorAll("[data-opened]")) {
  whenSeen(() => fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true }).catch(() => {}));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A page that is fetched ahead or opened behind another one has not been seen by anybody.
function whenSeen(act) {
  const look = () => {
    if (document.visibilityState !== "visible" || document.prerendering) return;
    for (const name of ["visibilitychange", "prerenderingchange"]) document.removeEventListener(name, look);
    act();
  };
  for (const name of ["visibilitychange", "prerenderingchange"]) document.addEventListener(name, look);
  look();
}
