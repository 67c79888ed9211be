// Writes examples/data/weather.csv: the readings of instruments in fair weather, under clouds and in rain, in their
// usual units. Synthetic, and the same file every time.
import fs from 'node:fs';

const kinds = [
  { name: 'fair', pressure: 1024, humidity: 45, wind: 8 },
  { name: 'clouds', pressure: 1013, humidity: 68, wind: 16 },
  { name: 'rain', pressure: 1002, humidity: 90, wind: 30 },
];

// Park and Miller's generator; good enough for synthetic data.
let state = 20240229;
const uniform = () => {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
};
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

const rows = ['pressure_hpa,temperature_c,humidity_percent,wind_kmh,weather'];
for (let i = 0; i < 300; i++) {
  const { name, pressure, humidity, wind } = kinds[i % kinds.length];
  const cells = [
    (pressure + 3.5 * normal()).toFixed(1),
    (14 + 7 * normal()).toFixed(1),
    Math.min(100, Math.max(5, humidity + 7 * normal())).toFixed(0),
    Math.max(0, wind + 5 * normal()).toFixed(0),
    name,
  ];
  rows.push(cells.join(','));
}
fs.writeFileSync(new URL('../examples/data/weather.csv', import.meta.url), `${rows.join('\n')}\n`);
