// Opens a page as a dialog: htmx fetches the same address, this shows it in the native <dialog>.
// Without this file every link opens its page.

const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");

// After htmx has settled, because it focuses autofocus fields itself; the summary of a refused form goes first.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target !== content || !content.childElementCount) return;
  if (!dialog.open) dialog.showModal();
  const first = content.querySelector("[data-summary]") ?? content.querySelector("[autofocus]");
  first?.focus();
});

// What was typed is kept until it is sent or the dialog is closed; a click outside does not close it.
dialog.addEventListener("close", () => content.replaceChildren());

content.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});

// On a failed request a form shows a message and keeps what was typed; a link opens its page.
for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const notice = content.querySelector("[data-no-response]");
    if (notice) notice.hidden = false;
    else if (event.detail.elt instanceof HTMLAnchorElement) location.href = event.detail.elt.href;
  });
}
