// Computes Remaining Due on each keystroke, exactly: minor units as BigInt, and amounts parsed as lib/money.parse_money
// parses them on the server, which decides. The messages come from the page (AMOUNT_MESSAGES in templatetags/staff.py).

const MAX_MINOR = 10n ** 13n;
const MAX_CHARACTERS = 40;

/** Parses "1,250.50" or "$300" to {minor: 125050n}; else returns {code, message}, as the server would. */
export function parseAmount(text, { currency, exponent, mark, messages }) {
  const digits = withoutDecoration(text, currency, mark.trim());
  const example = `300${exponent ? "." + "0".repeat(exponent) : ""}`;
  const refused = (code, params = {}, key = code) => ({ code, message: fill(messages[key], { example, ...params }) });
  if (!digits) return refused("empty");
  if (!isWellGrouped(digits)) return refused("not_a_number", { text: text.trim().slice(0, 40) });
  const [whole, decimals = ""] = digits.replace(/^[+-]/, "").replaceAll(",", "").split(".");
  if (/[1-9]/.test(decimals.slice(exponent))) {
    return refused("too_many_decimals", { currency, exponent }, exponent ? "too_many_decimals" : "no_decimals");
  }
  const size = BigInt(whole + decimals.slice(0, exponent).padEnd(exponent, "0") || "0");
  if (size > MAX_MINOR) return refused("too_large", { limit: formatAmount(MAX_MINOR, { exponent, mark }) });
  return { minor: digits.startsWith("-") ? -size : size };
}

// Fills the named placeholders of a message: "%(example)s".
function fill(message, params) {
  return message.replace(/%\((\w+)\)s/g, (_, name) => params[name]);
}

/** Formats 125050n as "$1,250.50". */
export function formatAmount(minor, { exponent, mark }) {
  const digits = String(minor < 0n ? -minor : minor).padStart(exponent + 1, "0");
  const cut = digits.length - exponent;
  const whole = digits.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${minor < 0n ? "-" : ""}${mark}${whole}${exponent ? "." + digits.slice(cut) : ""}`;
}

function withoutDecoration(text, currency, symbol) {
  let bare = text.trim().replace(/[\u00a0\u202f ]/g, "").replaceAll("\u2212", "-");
  for (const ornament of [currency, symbol]) {
    const sign = /^[+-]/.test(bare) ? bare[0] : "";
    let rest = bare.slice(sign.length);
    if (rest.startsWith(ornament)) rest = rest.slice(ornament.length);
    if (rest.endsWith(ornament)) rest = rest.slice(0, -ornament.length);
    bare = sign + rest;
  }
  return bare;
}

function isWellGrouped(digits) {
  const bare = digits.replace(/^[+-]+/, "");
  const point = bare.indexOf(".");
  const groups = (point < 0 ? bare : bare.slice(0, point)).split(",");
  const grouped =
    groups.length === 1 ||
    (groups[0].length > 0 && groups[0].length <= 3 && groups.slice(1).every((group) => group.length === 3));
  const plain = digits.replaceAll(",", "");
  return (
    grouped && !(point >= 0 && bare.slice(point).includes(",")) && plain.length < MAX_CHARACTERS &&
    /^[+-]?\d*([.]\d*)?$/.test(plain) && /\d/.test(plain)
  );
}

/**
 * Computes what remains of `due` after the amount that was typed: {minor, rest, over, message}; `message` says why an
 * amount cannot be entered.
 *
 * `limit` is less than `due` where something else stands in the way, which `why` names. `keeps` is null where more than
 * is due is never accepted; else it says whether the excess, `over`, is kept as credit.
 */
export function computeRemaining(text, { due, limit = due, why, keeps = null }, money) {
  const refused = (message, over = 0n) => ({ minor: null, rest: null, over, message });
  if (!text.trim()) return { minor: null, rest: due, over: 0n, message: "" };
  const parsed = parseAmount(text, money);
  if (parsed.message) return refused(parsed.message);
  const { messages } = money;
  const minor = parsed.minor;
  if (minor < 0n || (minor === 0n && isFinished(text))) return refused(messages.not_positive);
  if (minor <= limit) return { minor, rest: due - minor, over: 0n, message: "" };
  if (keeps === null) {
    return refused(fill(messages.above_limit, { limit: formatAmount(limit, money), why: why ?? messages.no_more_due }));
  }
  const over = minor - due;
  if (keeps) return { minor, rest: 0n, over, message: "" };
  return refused(fill(messages.above_due, { due: formatAmount(due, money), excess: formatAmount(over, money) }), over);
}

/**
 * Says what cannot be paid online of an amount that was typed, or would be left of `due`; empty when all of it can.
 *
 * Billing refuses an amount below `minimum` or between two multiples of `step`; a rest that can only be paid in another
 * way is accepted, so the member must see it before Send. `minimum` is a multiple of `step`.
 */
export function onlineNotice(minor, { due, minimum, step }, money) {
  const { messages } = money;
  const payable = (amount) => (amount < minimum ? 0n : amount - (amount % step));
  const say = (key, amounts) =>
    fill(messages[key], Object.fromEntries(Object.entries(amounts).map(([name, of]) => [name, formatAmount(of, money)])));
  if (minor < minimum) return say("below_online_minimum", { minimum });
  if (minor % step) return say("not_online_multiple", { step, possible: payable(minor) });
  const rest = due - minor - payable(due - minor);
  if (!rest) return "";
  const all = payable(due);
  if (rest === due - all) return say("online_rest", { rest });
  const most = payable(due - minimum);
  return most ? say("online_rest_or_less", { rest, all, most }) : say("online_rest_or_all", { rest, all });
}

// "0" and "0." are how "0.50" begins.
function isFinished(text) {
  return !/^\D*0?[.]?0*$/.test(text.trim()) || /[.]0{2,}$/.test(text);
}

function update(box) {
  const input = box.querySelector("input");
  const error = box.querySelector("[data-remaining-error]");
  const keep = box.querySelector("[data-remaining-keep-credit]");
  const { currency, exponent, mark, due, limit = due, why, messages } = box.dataset;
  const money = { currency, exponent: Number(exponent), mark, messages: JSON.parse(messages) };
  const keeps = keep && keep.querySelector("input").checked;
  const result = computeRemaining(input.value, { due: BigInt(due), limit: BigInt(limit), why, keeps }, money);
  show(box.querySelector("[data-remaining-amount]"), result.rest === null ? "–" : formatAmount(result.rest, money));
  error.textContent = result.message;
  error.hidden = !result.message;
  if (result.message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  if (keep) {
    keep.hidden = result.over === 0n;
    show(keep.querySelector("[data-remaining-over]"), formatAmount(result.over, money));
  }
  showOnlineNotice(box, result.minor, money);
  showRequestEffect(box, result.rest);
  labelSubmitButton(box, result.minor, money);
}

// Shows the notice of the amount; without one, what the page said about all that is due.
function showOnlineNotice(box, minor, money) {
  const notice = box.querySelector("[data-remaining-online]");
  if (!notice) return;
  notice.dataset.remainingElse ??= notice.textContent;
  const [due, minimum, step] = [box.dataset.due, notice.dataset.minimum, notice.dataset.step].map(BigInt);
  notice.textContent = minor ? onlineNotice(minor, { due, minimum, step }, money) : notice.dataset.remainingElse;
}

// Shows whether the open request still fits what would be left.
function showRequestEffect(box, rest) {
  const canceled = box.querySelector("[data-remaining-request-canceled]");
  if (!canceled) return;
  canceled.hidden = rest === null || rest >= BigInt(canceled.dataset.remainingRequestCanceled);
  box.querySelector("[data-remaining-request-stays]").hidden = !canceled.hidden;
}

// Labels the button with the amount once there is one: "Record $300.00".
function labelSubmitButton(box, minor, money) {
  const button = box.closest("form").querySelector("[data-remaining-submit]");
  if (!button) return;
  button.dataset.remainingElse ??= button.textContent;
  const label = button.dataset.remainingSubmit;
  button.textContent = minor ? `${label} ${formatAmount(minor, money)}` : button.dataset.remainingElse;
}

// Shows an amount with smaller decimals, as everywhere.
function show(place, amount) {
  const [, whole, decimals] = /^(.*\d)(\.\d+)$/.exec(amount) ?? [null, amount, ""];
  const small = document.createElement("span");
  small.className = "decimals";
  small.textContent = decimals;
  place.replaceChildren(whole, small);
}

if (typeof document !== "undefined") {
  document.addEventListener("input", (event) => {
    const box = event.target.closest?.("[data-remaining]");
    if (box) update(box);
  });
  // A refused form keeps the server's message; only what remains is computed again.
  const begin = (root) => {
    for (const box of root.querySelectorAll("[data-remaining]")) {
      if (box.querySelector("input").value && box.querySelector("[data-remaining-error]").hidden) update(box);
    }
  };
  begin(document);
  document.addEventListener("htmx:afterSettle", (event) => begin(event.target));
}
