// Fetches the payment's stage at once and every second and a half for two minutes; after that the button on the page
// does. Where the gateway says that nothing was paid yet, the page says so and goes on fetching, less often.

import { fetchStage } from "./stage.js";

const INTERVAL_MS = 1500;
const NOT_PAID_INTERVAL_MS = 6000;
const LIMIT_MS = 120_000;

const form = document.querySelector("[data-confirming]");
const progress = document.querySelector("[data-progress]");
const shown = form.dataset.confirming;
let began = Date.now();
let timer;

form.hidden = true;
poll();

// The customer may have paid in another tab meanwhile.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  clearTimeout(timer);
  began = Date.now();
  poll();
});

async function poll() {
  const stage = await fetchStage(form.action);
  if (stage === "not_paid") showNotPaid();
  else if (stage && stage !== shown) return location.reload();
  clearTimeout(timer);
  if (Date.now() - began < LIMIT_MS) {
    timer = setTimeout(poll, stage === "not_paid" ? NOT_PAID_INTERVAL_MS : INTERVAL_MS);
  } else {
    progress.textContent = progress.dataset.slow;
    form.hidden = false;
  }
}

function showNotPaid() {
  const template = document.querySelector("[data-not-paid]");
  if (!template) return; // it is shown already
  document.querySelector("[data-unknown]").replaceWith(template.content);
  template.remove();
  document.querySelector("h1").focus(); // so that a screen reader reads it
}
