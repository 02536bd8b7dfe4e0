// Remaining Due follows each keystroke, exactly: minor units as BigInt, and the same reading of an amount as
// lib/money.parse_money on the server, which has the last word.

const MAX_MINOR = 10n ** 13n;
const MOST_LETTERS = 40;

/** Reads "1,250.50" or "$300" as {minor: 125050n}; else {code, words} with the words the server would use. */
export function readAmount(text, { currency, exponent, mark }) {
  const digits = withoutDecoration(text, currency, mark.trim());
  const example = `300${exponent ? "." + "0".repeat(exponent) : ""}`;
  if (!digits) return { code: "empty", words: "Enter an amount." };
  if (!isWellGrouped(digits)) {
    return { code: "not_a_number", words: `“${text.trim().slice(0, 40)}” is not an amount. Write it like ${example}.` };
  }
  const [whole, decimals = ""] = digits.replace(/^[+-]/, "").replaceAll(",", "").split(".");
  if (/[1-9]/.test(decimals.slice(exponent))) {
    const words = exponent ? `${currency} has ${exponent} decimals at most.` : `${currency} has no decimals.`;
    return { code: "too_many_decimals", words: `${words} Write it like ${example}.` };
  }
  const size = BigInt(whole + decimals.slice(0, exponent).padEnd(exponent, "0") || "0");
  if (size > MAX_MINOR) {
    return { code: "too_large", words: `The most Partway can handle is ${formatAmount(MAX_MINOR, { exponent, mark })}.` };
  }
  return { minor: digits.startsWith("-") ? -size : size };
}

/** 125050n as "$1,250.50". */
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
    grouped && !(point >= 0 && bare.slice(point).includes(",")) && plain.length < MOST_LETTERS &&
    /^[+-]?\d*([.]\d*)?$/.test(plain) && /\d/.test(plain)
  );
}

/**
 * What is left of `due` after what was typed: {minor, rest, over, words}; words say why it cannot be.
 *
 * `most` is less than `due` where something else stands in the way, which `why` names. `keeps` is null where more than
 * is due makes no sense; else whether the rest, `over`, shall be kept as credit.
 */
export function reckon(text, { due, most = due, why = "no more is due", keeps = null }, money) {
  const refused = (words, over = 0n) => ({ minor: null, rest: null, over, words });
  if (!text.trim()) return { minor: null, rest: due, over: 0n, words: "" };
  const read = readAmount(text, money);
  if (read.words) return refused(read.words);
  const minor = read.minor;
  if (minor < 0n || (minor === 0n && isFinished(text))) return refused("Enter an amount above zero.");
  if (minor <= most) return { minor, rest: due - minor, over: 0n, words: "" };
  if (keeps === null) return refused(`Enter at most ${formatAmount(most, money)}: ${why}.`);
  const over = minor - due;
  if (keeps) return { minor, rest: 0n, over, words: "" };
  const [all, much] = [due, over].map((amount) => formatAmount(amount, money));
  return refused(`${all} is due, so ${much} would be too much. Enter less, or keep the rest as credit.`, over);
}

// "0" and "0." are how "0.50" begins.
function isFinished(text) {
  return !/^\D*0?[.]?0*$/.test(text.trim()) || /[.]0{2,}$/.test(text);
}

function follow(box) {
  const input = box.querySelector("input");
  const shown = box.querySelector("[data-remaining-amount]");
  const words = box.querySelector("[data-remaining-error]");
  const keep = box.querySelector("[data-remaining-keep-credit]");
  const { currency, exponent, mark, due, most = due, why } = box.dataset;
  const money = { currency, exponent: Number(exponent), mark };
  const keeps = keep && keep.querySelector("input").checked;
  const result = reckon(input.value, { due: BigInt(due), most: BigInt(most), why, keeps }, money);
  show(shown, result.rest === null ? "–" : formatAmount(result.rest, money));
  words.textContent = result.words;
  words.hidden = !result.words;
  if (result.words) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  if (keep) offerToKeep(keep, result.over, money);
  tellOfRequest(box, result.rest);
  nameAct(box, result.minor, money);
}

function offerToKeep(keep, over, money) {
  keep.hidden = over === 0n;
  show(keep.querySelector("[data-remaining-over]"), formatAmount(over, money));
}

// Whether the open request still fits what would be left.
function tellOfRequest(box, rest) {
  const ends = box.querySelector("[data-remaining-request-canceled]");
  if (!ends) return;
  ends.hidden = rest === null || rest >= BigInt(ends.dataset.remainingRequestCanceled);
  box.querySelector("[data-remaining-request-stays]").hidden = !ends.hidden;
}

// The button says the amount once there is one: "Record $300.00".
function nameAct(box, minor, money) {
  const act = box.closest("form").querySelector("[data-remaining-submit]");
  if (!act) return;
  act.dataset.remainingElse ??= act.textContent;
  act.textContent = minor ? `${act.dataset.remainingSubmit} ${formatAmount(minor, money)}` : act.dataset.remainingElse;
}

// Decimals are smaller, as in every other amount.
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
    if (box) follow(box);
  });
  // A form that came back refused shows its own words; only what is left is reckoned again.
  const begin = (root) => {
    for (const box of root.querySelectorAll("[data-remaining]")) {
      if (box.querySelector("input").value && box.querySelector("[data-remaining-error]").hidden) follow(box);
    }
  };
  begin(document);
  document.addEventListener("htmx:afterSettle", (event) => begin(event.target));
}
