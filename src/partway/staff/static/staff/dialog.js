// Opens a page that is also a dialog: htmx fetches the same address, this shows it in the native <dialog>.
// Without this file every link simply leads to its page.

const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");

// After htmx has settled: it focuses an autofocus field by itself, and a refusal comes first.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target !== content || !content.childElementCount) return;
  if (!dialog.open) dialog.showModal();
  const first = content.querySelector("[data-summary]") ?? content.querySelector("[autofocus]");
  first?.focus();
});

// What was typed stays until it is sent or the dialog is closed on purpose; a click beside it closes nothing.
dialog.addEventListener("close", () => content.replaceChildren());

content.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});

// No answer, or one that makes no sense: a form says so and keeps what was typed, a link leads to its page.
for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const notice = content.querySelector("[data-no-response]");
    if (notice) notice.hidden = false;
    else if (event.detail.elt instanceof HTMLAnchorElement) location.href = event.detail.elt.href;
  });
}
