// Adds and removes lines of the invoice and quote editor without a request.
// Without this file there are spare rows, and "Add lines" requests more from the server.

const list = document.querySelector("[data-lines]");
const adding = document.querySelector("[data-add-line]");

function rename(row, number) {
  row.setAttribute("aria-label", list.dataset.lineLabel.replace("{number}", number + 1));
  row.querySelector("[data-remove-line]").setAttribute("aria-label", list.dataset.removeLabel.replace("{number}", number + 1));
  for (const part of row.querySelectorAll("[id], [for], [name], [aria-describedby]")) {
    for (const name of ["id", "for", "name", "aria-describedby"]) {
      const old = part.getAttribute(name);
      if (old) part.setAttribute(name, old.replace(/^lines\.\d+\./, `lines.${number}.`));
    }
  }
}

function renumber() {
  [...list.children].forEach(rename);
  for (const button of list.querySelectorAll("[data-remove-line]")) button.hidden = list.children.length < 2;
}

// The values that a new line starts with; a line with nothing else is spare.
function defaultValue(name) {
  if (name.endsWith(".quantity")) return "1";
  return name.endsWith(".tax_percent") ? list.dataset.tax : "";
}

function add() {
  const row = list.lastElementChild.cloneNode(true);
  for (const input of row.querySelectorAll("input")) {
    input.value = defaultValue(input.name);
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  for (const error of row.querySelectorAll(".field-error")) error.remove();
  list.append(row);
  renumber();
  row.querySelector("input").focus();
}

function isBlank(row) {
  return [...row.querySelectorAll("input")].every((input) => !input.value || defaultValue(input.name));
}

// Removes the spare rows except one.
for (const row of [...list.children].reverse()) {
  if (list.children.length > 1 && isBlank(row)) row.remove();
}
renumber();

adding.lastChild.textContent = list.dataset.addLabel;
adding.addEventListener("click", (event) => {
  event.preventDefault();
  add();
});

list.addEventListener("click", (event) => {
  const row = event.target.closest("[data-remove-line]")?.closest("[data-line]");
  if (!row) return;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  renumber();
  list.closest("form").dataset.unsaved = ""; // a line that is gone cannot differ from what it was
  next.querySelector("input").focus();
  list.dispatchEvent(new Event("input", { bubbles: true })); // the total follows
});
