// The pages work without this: it disables the button after the first click, reports that the page was seen, and
// prints.

for (const form of document.querySelectorAll("[data-pay]")) {
  const button = form.querySelector("button");
  const label = button.textContent;

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
    button.textContent = label;
  });
}

for (const form of document.querySelectorAll("[data-opened]")) {
  whenSeen(() => fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true }).catch(() => {}));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A page that is fetched ahead or opened in a background tab has not been seen.
function whenSeen(callback) {
  const check = () => {
    if (document.visibilityState !== "visible" || document.prerendering) return;
    for (const name of ["visibilitychange", "prerenderingchange"]) document.removeEventListener(name, check);
    callback();
  };
  for (const name of ["visibilitychange", "prerenderingchange"]) document.addEventListener(name, check);
  check();
}
