// Menus are <details>: they work alone; this closes them, moves between their items, and copies a link at once.

const items = (menu) => [...menu.querySelectorAll(".menu-item")];
const openMenu = () => document.querySelector("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest(".menu-item")) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = openMenu();
  if (!menu || document.querySelector("dialog[open]")) return;
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (event.key === "ArrowDown") {
    event.preventDefault();
    all[(at + 1) % all.length].focus();
  } else if (event.key === "ArrowUp") {
    event.preventDefault();
    all[(at <= 0 ? all.length : at) - 1].focus();
  }
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy]");
  // Only a secure address may write the clipboard; elsewhere the link leads to the page that shows it.
  if (!link || !navigator.clipboard) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(link.dataset.copy);
    say("The payment link is copied.");
  } catch {
    location.href = link.href;
  }
});

function say(words) {
  const place = document.querySelector("[data-notices]");
  const notice = document.createElement("p");
  notice.className = "alert";
  notice.dataset.tone = "green";
  notice.textContent = words;
  place.replaceChildren(notice);
}

// On a phone the navigation is a strip that can be wider than the screen.
document.querySelector(".side-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
