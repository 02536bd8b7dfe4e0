// Finds customers while one types in the editor: Enter searches and saves nothing, the arrow down leads to the customers.
// Without this file the button beside the search sends the form, which comes back with the customers found.

const search = document.querySelector("[data-customer-search]");

if (search) {
  const choices = document.getElementById("customer-choices");
  search.nextElementSibling.hidden = true;
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      search.dispatchEvent(new Event("search"));
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      choices.querySelector("input[type=radio]").focus();
    }
  });
  // What is found later must not replace what was chosen meanwhile.
  choices.addEventListener("change", () => search.dispatchEvent(new CustomEvent("htmx:abort")));
  // The server runs a search that it has not seen before it saves; here, what was chosen is chosen.
  search.form.addEventListener("submit", () => {
    search.form.elements.customer_searched.value = search.value;
  });
  choices.addEventListener("htmx:afterSwap", () => {
    document.querySelector("[data-announcements]").textContent = choices.querySelector("[data-found]").textContent;
    search.closest("form").dataset.unsaved = ""; // the chosen one is written into what was found
  });
}
