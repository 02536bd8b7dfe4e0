// The checkout page works without this: a click on a test card fills the form, and a form is submitted once.
"use strict";

const COMPANIONS = { expiry: "12 / 34", cvc: "123", name: "Sandy Box" };

for (const line of document.querySelectorAll("[data-fill]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "fill-button";
  button.append(...line.childNodes);
  button.addEventListener("click", () => fill(line.closest("form"), line.dataset.fill, button));
  line.append(button);
}

function fill(form, field, button) {
  form.elements[field].value = button.querySelector("code").textContent;
  for (const [name, value] of Object.entries(COMPANIONS)) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  form.querySelector("button.full-width").focus();
}

for (const form of document.forms) {
  form.addEventListener("submit", () => {
    // Later than the submit itself, so that the form is still sent.
    setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)));
  });
}

// Coming back with the browser's button shows the page as it was left: it must work again.
addEventListener("pageshow", () => {
  document.querySelectorAll("button").forEach((button) => (button.disabled = false));
});
