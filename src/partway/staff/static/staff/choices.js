// Shows only the fields of the chosen kind, as of a discount, a deposit or a new customer.
// Without this file all are shown, and the server reads those of the chosen kind.

for (const choice of document.querySelectorAll("[data-choice]")) {
  const show = () => {
    const kind = choice.querySelector("select, input[type=radio]:checked");
    for (const part of choice.querySelectorAll("[data-choice-of]")) part.hidden = part.dataset.choiceOf !== kind?.value;
  };
  choice.addEventListener("change", show);
  choice.addEventListener("htmx:afterSwap", show);
  show();
}
