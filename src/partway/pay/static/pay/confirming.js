// Asks how a payment stands, every moment for two minutes; then the button on the page is left to ask.

const EVERY = 1500;
const ENOUGH = 120_000;

const form = document.querySelector("[data-confirming]");
const words = document.querySelector("[data-words]");
const began = Date.now();

form.hidden = true;
setTimeout(ask, EVERY / 3);

async function ask() {
  if ((await stage()) !== "confirming") return location.reload();
  if (Date.now() - began < ENOUGH) return setTimeout(ask, EVERY);
  words.textContent =
    "This takes longer than usual. You can close this page: if the payment went through, the receipt comes by mail.";
  form.hidden = false;
}

async function stage() {
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    });
    return answer.ok ? (await answer.json()).stage : "confirming";
  } catch {
    return "confirming"; // no network for a moment is no answer
  }
}
