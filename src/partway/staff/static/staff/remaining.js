// Computes Remaining Due on each keystroke, exactly: minor units as BigInt, and amounts parsed as the server parses them.

import { amountParts, fill, formatAmount, parseAmount } from "./typed_numbers.js";

/**
 * Computes what remains of `due` after the amount that was typed: {minor, rest, over, message}; `message` says why an
 * amount cannot be entered.
 *
 * `limit` is less than `due` where something else stands in the way, which `why` names. `keeps` is null where more than
 * is due is never accepted; else it says whether the excess, `over`, is kept as credit.
 */
function computeRemaining(text, { due, limit = due, why, keeps = null }, format) {
  const refused = (message, over = 0n) => ({ minor: null, rest: null, over, message });
  if (!text.trim()) return { minor: null, rest: due, over: 0n, message: "" };
  const { minor, decimals, message } = parseAmount(text, format);
  if (message) return refused(message);
  const { messages } = format;
  // "0" and "0.0" are how "0.05" begins.
  if (minor < 0n || (minor === 0n && decimals > 1)) return refused(messages.not_positive);
  if (minor <= limit) return { minor, rest: due - minor, over: 0n, message: "" };
  if (keeps === null) {
    return refused(fill(messages.above_limit, { limit: formatAmount(limit, format), why: why ?? messages.no_more_due }));
  }
  const over = minor - due;
  if (keeps) return { minor, rest: 0n, over, message: "" };
  return refused(fill(messages.above_due, { due: formatAmount(due, format), excess: formatAmount(over, format) }), over);
}

/**
 * Says what cannot be paid online of an amount that was typed, or would be left of `due`; empty when all of it can.
 *
 * Billing refuses an amount below `minimum` or between two multiples of `step`; a rest that can only be paid in another
 * way is accepted, so the member must see it before Send. `minimum` is a multiple of `step`.
 */
export function onlineNotice(minor, { due, minimum, step }, format) {
  const { messages } = format;
  const payable = (amount) => (amount < minimum ? 0n : amount - (amount % step));
  const say = (key, amounts) =>
    fill(messages[key], Object.fromEntries(Object.entries(amounts).map(([name, of]) => [name, formatAmount(of, format)])));
  if (minor < minimum) return say("below_online_minimum", { minimum });
  if (minor % step) return say("not_online_multiple", { step, possible: payable(minor) });
  const rest = due - minor - payable(due - minor);
  if (!rest) return "";
  const all = payable(due);
  if (rest === due - all) return say("online_rest", { rest });
  const most = payable(due - minimum);
  return most ? say("online_rest_or_less", { rest, all, most }) : say("online_rest_or_all", { rest, all });
}

function update(box) {
  const input = box.querySelector("input");
  const error = box.querySelector("[data-remaining-error]");
  const keep = box.querySelector("[data-remaining-keep-credit]");
  const { due, limit = due, why } = box.dataset;
  const format = JSON.parse(box.dataset.amountFormat);
  const keeps = keep && keep.querySelector("input").checked;
  const result = computeRemaining(input.value, { due: BigInt(due), limit: BigInt(limit), why, keeps }, format);
  show(box.querySelector("[data-remaining-amount]"), result.rest === null ? ["–"] : amountParts(result.rest, format));
  error.textContent = result.message;
  error.hidden = !result.message;
  if (result.message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  if (keep) {
    keep.hidden = result.over === 0n;
    show(keep.querySelector("[data-remaining-over]"), amountParts(result.over, format));
  }
  showOnlineNotice(box, result.minor, format);
  showSettlement(box, result.minor === null ? null : result.rest);
  showRequestEffect(box, result.rest);
  labelSubmitButton(box, result.minor, format);
}

// Shows the notice of the amount; without one, what the page said about all that is due.
function showOnlineNotice(box, minor, format) {
  const notice = box.querySelector("[data-remaining-online]");
  if (!notice) return;
  notice.dataset.remainingElse ??= notice.textContent;
  const [due, minimum, step] = [box.dataset.due, notice.dataset.minimum, notice.dataset.step].map(BigInt);
  notice.textContent = minor ? onlineNotice(minor, { due, minimum, step }, format) : notice.dataset.remainingElse;
}

// Offers to settle the rest while there is one, and asks to confirm a large one once a reason is chosen.
function showSettlement(box, rest) {
  const settle = box.querySelector("[data-remaining-settle]");
  if (!settle) return;
  settle.hidden = !rest;
  const isSettled = rest && settle.querySelector("select").value;
  settle.querySelector("[data-remaining-settle-large]").hidden = !isSettled || rest <= BigInt(settle.dataset.remainingSettle);
  settle.querySelector("input[name=settle_note]").closest(".field").hidden = !isSettled;
}

// Shows whether the open request still fits what would be left.
function showRequestEffect(box, rest) {
  const canceled = box.querySelector("[data-remaining-request-canceled]");
  if (!canceled) return;
  canceled.hidden = rest === null || rest >= BigInt(canceled.dataset.remainingRequestCanceled);
  box.querySelector("[data-remaining-request-stays]").hidden = !canceled.hidden;
}

// Labels the button with the amount once there is one: "Record $300.00".
function labelSubmitButton(box, minor, format) {
  const button = box.closest("form").querySelector("[data-remaining-submit]");
  if (!button) return;
  button.dataset.remainingElse ??= button.textContent;
  const { remainingSubmit, remainingElse } = button.dataset;
  button.textContent = minor ? remainingSubmit.replace("{amount}", () => formatAmount(minor, format)) : remainingElse;
}

// Shows an amount with smaller decimals, as everywhere.
function show(place, [before, decimals = "", after = ""]) {
  const small = document.createElement("span");
  small.className = "decimals";
  small.textContent = decimals;
  place.replaceChildren(before, small, after);
}

document.addEventListener("input", (event) => {
  const box = event.target.closest?.("[data-remaining]");
  if (box) update(box);
});
// Fills in a part of what is due, which the server computed.
document.addEventListener("click", (event) => {
  const suggestion = event.target.closest("[data-remaining-suggestion]");
  if (!suggestion) return;
  const input = suggestion.closest("[data-remaining]").querySelector("input");
  input.value = suggestion.dataset.remainingSuggestion;
  input.dispatchEvent(new Event("input", { bubbles: true }));
});
// A refused form keeps the server's message; only what remains is computed again.
const begin = (root) => {
  for (const suggestions of root.querySelectorAll("[data-remaining-suggestions]")) suggestions.hidden = false;
  for (const box of root.querySelectorAll("[data-remaining]")) {
    if (box.querySelector("input").value && box.querySelector("[data-remaining-error]").hidden) update(box);
    else showSettlement(box, null);
  }
};
begin(document);
document.addEventListener("htmx:afterSettle", (event) => begin(event.target));
