// Parses and formats amounts as the server does (lib/typed_numbers.py, lib/money.py): exactly, in the page's locale, and
// refusing what could be two amounts. What differs by locale and currency comes from the page: amount_format in
// templatetags/staff.py. The server decides; docs/decisions/0030 has the rules.

const GROUP_SIZE = 3;
const OTHER = { ".": ",", ",": "." };

/**
 * Parses "1,250.50" or "$300" to {minor: 125050n, decimals: 2}; else returns {code, message}, as the server would.
 * `decimals` counts those that were typed.
 */
export function parseAmount(text, format) {
  const refused = (code, params = {}) => ({ code, message: message(code, params, format) });
  const { sign, body } = withoutDecoration(text, format);
  if (!sign && !body) return refused("empty");
  const { places, decimalMark, groupsByTwo } = format;
  const own = read(body, decimalMark, groupsByTwo);
  const other = read(body, OTHER[decimalMark], true);
  const readings = [own, other].filter((reading) => reading);
  const isTwo = own && other && compare(own, other) !== 0;
  const signed = () => readings.sort(compare).map(({ number }) => (sign === "-" ? `-${number}` : number));
  const twoReadings = () => (sign === "-" ? signed().reverse() : signed());
  if (own?.isWellGrouped) {
    const excess = /[1-9]/.test(own.decimals.slice(places));
    const isPlausible = other?.isWellGrouped && other.decimals.length <= places;
    if (isTwo && (excess || isPlausible)) {
      return refused(excess ? "ambiguous_decimals" : "ambiguous", { readings: twoReadings() });
    }
    if (excess) return refused("too_many_decimals");
    const size = BigInt(own.whole + own.decimals.slice(0, places).padEnd(places, "0"));
    if (size > BigInt(format.limit)) return refused("too_large");
    return { minor: sign === "-" ? -size : size, decimals: own.decimals.length };
  }
  if (isTwo) {
    const excess = readings.some(({ decimals }) => /[1-9]/.test(decimals.slice(places)));
    return refused(excess ? "ambiguous_decimals" : "ambiguous", { readings: twoReadings() });
  }
  if (readings.length) return refused("other_separators", { reading: signed()[0] });
  return refused("not_a_number", { text: [...stripEdge(text, format.directionMarks)].slice(0, 40).join("") });
}

/** Fills the named placeholders of a message: "%(example)s". */
export function fill(message, params) {
  return message.replace(/%\((\w+)\)s/g, (_, name) => params[name]);
}

/** Formats 125050n as "$1,250.50". */
export function formatAmount(minor, format) {
  return amountParts(minor, format).join("");
}

/** Returns 125050n as ["$1,250", ".50", ""]: before the decimals, the decimals, and after them. */
export function amountParts(minor, { places, prefix, suffix, decimal, group, groupSizes }) {
  const digits = String(minor).padStart(places + 1, "0");
  const cut = digits.length - places;
  const decimals = places ? decimal + digits.slice(cut) : "";
  return [prefix + grouped(digits.slice(0, cut), group, groupSizes), decimals, suffix];
}

function grouped(digits, group, [last, others] = []) {
  if (!group || digits.length <= last) return digits;
  const head = digits.slice(0, -last).replace(new RegExp(`\\B(?=(\\d{${others}})+$)`, "g"), group);
  return head + group + digits.slice(-last);
}

function message(code, params, format) {
  const { messages, currency, places, example, limit } = format;
  const values = { ...params, currency, places, example, limit: formatAmount(BigInt(limit), format) };
  if (params.reading) values.reading = typed(params.reading, format);
  if (params.readings) {
    const show = code === "ambiguous" && places < GROUP_SIZE ? groupedReading : typed;
    [values.first, values.second] = params.readings.map((number) => show(number, format));
  }
  const keys = code === "ambiguous_decimals" ? ["ambiguous", "too_many_decimals"] : [code];
  const key = (name) => (name === "too_many_decimals" && !places ? "no_decimals" : name);
  return keys.map((name) => fill(messages[key(name)], values)).join(" ");
}

// A number without groups, which has no second meaning: a zero is added to three decimals.
function typed(number, { decimal }) {
  let [whole, decimals = ""] = number.split(".");
  if (decimals.length === GROUP_SIZE && /^-?[1-9]\d{0,2}$/.test(whole)) decimals += "0";
  return decimals ? whole + decimal + decimals : whole;
}

function groupedReading(number, { places, decimal, group, groupSizes }) {
  const [, sign, whole, decimals] = /^(-?)(\d+)\.?(\d*)$/.exec(number);
  return sign + grouped(whole, group, groupSizes) + (decimals ? decimal + decimals.padEnd(places, "0") : "");
}

function withoutDecoration(text, { marks, equivalents, directionMarks, zeros, maxCharacters }) {
  if ([...text].length > maxCharacters) return { sign: "", body: "?" };
  const canonical = (part) => [...part].map((char) => equivalents[char] ?? char).join("");
  const stripped = (part) => stripEdge(part, directionMarks);
  let sign = "";
  let bare = stripped(canonical(text));
  for (const mark of [...marks.map(canonical), ""]) {
    if (!sign && /^[+-]/.test(bare)) [sign, bare] = [bare[0], stripped(bare.slice(1))];
    if (mark && bare.slice(0, mark.length).toUpperCase() === mark.toUpperCase()) {
      bare = stripped(bare.slice(mark.length));
    }
    if (mark && bare.slice(-mark.length).toUpperCase() === mark.toUpperCase()) {
      bare = stripped(bare.slice(0, -mark.length));
    }
  }
  return { sign, body: withAsciiDigits(bare, [...zeros].map((zero) => zero.codePointAt(0))) };
}

function stripEdge(text, directionMarks) {
  const isEdge = (char) => `\t\n\r\ufeff\u200b${directionMarks}`.includes(char) || /\p{Zs}/u.test(char);
  const chars = [...text];
  while (chars.length && isEdge(chars[0])) chars.shift();
  while (chars.length && isEdge(chars.at(-1))) chars.pop();
  return chars.join("");
}

function withAsciiDigits(text, zeros) {
  const scripts = new Set();
  let converted = "";
  for (const char of text) {
    const code = char.codePointAt(0);
    const zero = zeros.find((first) => first <= code && code < first + 10);
    if (zero !== undefined) {
      scripts.add(zero);
      converted += code - zero;
    } else if (/\p{Zs}/u.test(char)) converted += " ";
    else if (".,'٫٬".includes(char)) converted += char;
    else return "?";
  }
  return scripts.size <= 1 ? converted : "?";
}

// Returns the reading with `mark` before the decimals; null where there is none.
function read(body, mark, byTwoAllowed) {
  const [whole, decimals = "", ...more] = body.split(mark === "," ? /[,٫]/ : /[.٫]/);
  const groups = whole.split(mark === "," ? /[. '٬]/ : /[, '٬]/);
  const digits = groups.join("");
  if (more.length || !/^[0-9]+$/.test(digits + decimals) || new Set(whole.replace(/[0-9]/g, "")).size > 1) return null;
  if (groups.length > 1) {
    const [first, ...middle] = groups;
    const last = middle.pop();
    const byThree = middle.every((part) => part.length === GROUP_SIZE) && first.length >= 1 && first.length <= GROUP_SIZE;
    const byTwo = byTwoAllowed && middle.every((part) => part.length === 2) && first.length >= 1 && first.length <= 2;
    if (last.length !== GROUP_SIZE || !(byThree || byTwo)) return null;
  }
  const isWellGrouped = groups.length === 1 || !groups[0].startsWith("0");
  const shortest = decimals.replace(/0+$/, "");
  const plain = digits.replace(/^0+(?=\d)/, "") || "0";
  return { whole: plain, decimals, number: shortest ? `${plain}.${shortest}` : plain, isWellGrouped };
}

// Compares two readings by size, exactly.
function compare(one, other) {
  const places = Math.max(one.decimals.length, other.decimals.length);
  const [first, second] = [one, other].map(({ whole, decimals }) => BigInt(whole + decimals.padEnd(places, "0")));
  return first < second ? -1 : Number(first > second);
}
