// One row of the table behind a set: what a repetition or hold came to.

export function numbersRow(each, number) {
  const row = document.createElement("tr");
  for (const text of [number + 1, `${each.s.toFixed(1)} s`, `${Math.round(each.rom_deg)}°`, `${each.held_s.toFixed(1)} s`]) {
    const cell = document.createElement("td");
    cell.className = "num";
    cell.textContent = text;
    row.append(cell);
  }
  return row;
}
