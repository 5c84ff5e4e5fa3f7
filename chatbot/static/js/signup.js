// Sign-up: the time zone from the device, and parts of a country only where the chosen country has some.
const form = document.querySelector("[data-signup]");
const zone = form?.querySelector("[name=time_zone]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

const country = form?.querySelector("[name=country]");
const region = form?.querySelector("[name=region]");
const holder = form?.querySelector("[data-region]");

function parts() {
  let any = false;
  for (const option of region.options) {
    const fits = option.value === "" || option.value.startsWith(`${country.value}-`);
    option.hidden = option.disabled = !fits;
    if (fits && option.value) any = true;
  }
  if (region.selectedOptions[0]?.disabled) region.value = "";
  holder.hidden = !any;
}

if (country && region && holder) {
  country.addEventListener("change", parts);
  parts();
}
