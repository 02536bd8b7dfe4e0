// Follows what happens to the invoice or quote of this page: asks for its version, replaces what has changed, and
// announces it. Without this file a reload shows it.

const ASK_MS = 4_000;
const QUIET_MS = 30_000; // after QUIET_AFTER_MS in which nothing has changed
const QUIET_AFTER_MS = 10 * 60_000;
const HIDDEN_MS = 60_000;

const dialog = document.getElementById("dialog");
let timer;
let changedAt = Date.now();

// An open dialog is left alone with what was typed; only its own note of a payment is followed.
const place = () => (dialog.open ? dialog : document.getElementById("main"));
const followed = () => place().querySelector("[data-live]");

// Replacing a text would drop its selection.
const isSelected = (region) => {
  const selection = getSelection();
  return !selection.isCollapsed && region.contains(selection.anchorNode);
};

function askLater(soon = false) {
  clearTimeout(timer);
  const wait = Date.now() - changedAt > QUIET_AFTER_MS ? QUIET_MS : ASK_MS;
  timer = setTimeout(ask, soon ? 0 : document.hidden ? HIDDEN_MS : wait);
}

async function ask() {
  const region = followed();
  if (region && !("liveEnded" in region.dataset) && !isSelected(region)) {
    const { live, liveVersion } = region.dataset;
    try {
      // A session that has ended redirects to the sign-in page, which must not take this page away.
      const response = await fetch(live, { headers: { "If-None-Match": liveVersion }, redirect: "manual" });
      if (response.ok) replace(region, await response.text());
      else if (response.status < 500 && ![304, 429].includes(response.status)) return; // signed out, or no access
    } catch {
      // The network is away; it is asked again.
    }
  }
  askLater();
}

function replace(region, html) {
  // A dialog may have been opened or closed, or a text selected, meanwhile.
  if (followed() !== region || isSelected(region)) return;
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-live]");
  if (!fresh) return;
  const before = announced(region);
  const focus = region.contains(document.activeElement) && keyOf(document.activeElement);
  const open = [...region.querySelectorAll("details[open] > summary")].map(keyOf);
  const adopted = document.adoptNode(fresh);
  region.replaceWith(adopted);
  window.htmx.process(adopted);
  for (const summary of adopted.querySelectorAll("summary")) {
    summary.parentElement.open = open.includes(keyOf(summary));
  }
  if (focus) [...adopted.querySelectorAll("a, button, summary")].find((element) => keyOf(element) === focus)?.focus();
  changedAt = Date.now();
  const news = [...announced(adopted)].filter(([key]) => !before.has(key)).map(([, text]) => text);
  // Oldest first: a timeline begins with the newest.
  if (news.length) place().querySelector("[data-announcements]").textContent = news.reverse().join(". ");
}

const keyOf = (element) =>
  element.id || element.getAttribute("href") || element.getAttribute("aria-label") || element.textContent;

// The texts that are read out when they are new, by their time and text.
function announced(region) {
  const texts = [...region.querySelectorAll("[data-announced]")].map((element) => [
    element.dataset.announced + element.textContent.trim(),
    element.textContent.trim(),
  ]);
  return new Map(texts);
}

document.addEventListener("visibilitychange", () => askLater(!document.hidden));
dialog.addEventListener("close", () => askLater(true));
askLater();
