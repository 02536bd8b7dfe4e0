// Fetches the payment's stage every second and a half for two minutes; after that the button on the page does.

const INTERVAL_MS = 1500;
const LIMIT_MS = 120_000;

const form = document.querySelector("[data-confirming]");
const progress = document.querySelector("[data-progress]");
const began = Date.now();

form.hidden = true;
setTimeout(poll, INTERVAL_MS / 3);

async function poll() {
  if ((await stage()) !== "confirming") return location.reload();
  if (Date.now() - began < LIMIT_MS) return setTimeout(poll, INTERVAL_MS);
  progress.textContent = progress.dataset.slow;
  form.hidden = false;
}

async function stage() {
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    });
    return response.ok ? (await response.json()).stage : "confirming";
  } catch {
    return "confirming"; // the network may be back at the next call
  }
}
