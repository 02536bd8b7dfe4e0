// Asks the gateway, through our server, for the stage of a payment; `url` is its …/state/.

export async function fetchStage(url) {
  try {
    const response = await fetch(url, { method: "POST", headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).stage : "";
  } catch {
    return ""; // the network may be back at the next call
  }
}
