// The pages work without this: it disables the button after the first click, says that nothing was paid to a customer
// who left the checkout, reports that the page was seen, and prints.

import { fetchStage } from "./stage.js";

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-pay]")) return;
  const button = event.target.querySelector("button");
  if (button.disabled) return event.preventDefault();
  // After the submission has begun, or the browser would drop it with its button.
  setTimeout(() => {
    button.disabled = true;
    button.textContent = button.dataset.busy;
  });
});

// Back from the checkout, the browser may show the page just as it was left: busy, and with a state of that time.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) return location.reload();
  for (const button of document.querySelectorAll("[data-pay] button")) button.disabled = false;
});

// The stages in which the customer waits for the payment or has its receipt; in all others this page is right.
const TAKEN = ["confirming", "processing", "too_late", "succeeded"];

for (const region of document.querySelectorAll("[data-unsettled]")) {
  const path = region.dataset.unsettled;
  const ask = async () => {
    if (document.visibilityState !== "visible") return;
    const stage = await fetchStage(`${path}state/`);
    if (TAKEN.includes(stage)) return location.replace(path);
    region.querySelector("[data-not-paid]").hidden = stage !== "not_paid";
  };
  document.addEventListener("visibilitychange", ask); // the customer may have paid in another tab
  ask();
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
