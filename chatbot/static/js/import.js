// A file that is too big for the server is named here, before minutes of sending it end in a no.
const form = document.querySelector("[data-import]");
const told = form?.querySelector("[data-too-big]");

form?.addEventListener("change", ({ target }) => {
  const big = [...(target.files ?? [])].some((file) => file.size > Number(form.dataset.import));
  told.hidden = !big;
  form.querySelector("button").disabled = big;
});
