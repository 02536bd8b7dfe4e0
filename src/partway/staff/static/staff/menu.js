// Closes <details> menus, moves between their items by keyboard, and copies links; without it the menus still open.

const items = (menu) => [...menu.querySelectorAll(".menu-item")];
const openMenu = () => document.querySelector("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const isChosen = menu.contains(event.target) && event.target.closest(".menu-item");
    // The entry is about to be hidden: a dialog that it opens gives the focus back to the menu.
    if (isChosen) menu.querySelector("summary").focus();
    if (isChosen || !menu.contains(event.target)) menu.open = false;
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
  // Only a secure context may write to the clipboard; elsewhere the link opens the page that shows the address.
  if (!link || !navigator.clipboard) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(link.dataset.copy);
    showNotice(document.querySelector("[data-notices]").dataset.copied);
  } catch {
    location.href = link.href;
  }
});

function showNotice(message) {
  const place = document.querySelector("[data-notices]");
  const notice = document.createElement("p");
  notice.className = "alert";
  notice.dataset.tone = "green";
  notice.textContent = message;
  place.replaceChildren(notice);
}
