// Writes examples/data/marbles.csv: marbles of three materials, their diameter and the logarithm of their mass, from
// density and volume with some measurement noise. Synthetic, and the same file every time.
import fs from 'node:fs';

const materials = [
  // Density in g/cm³, and how much it varies from marble to marble.
  { name: 'wood', density: 0.7, spread: 0.15 },
  { name: 'glass', density: 2.5, spread: 0.05 },
  { name: 'steel', density: 7.8, spread: 0.02 },
];

// Park and Miller's generator; good enough for synthetic data.
let state = 20240229;
const uniform = () => {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
};
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

const rows = ['diameter_cm,log10_mass_g,material'];
for (let i = 0; i < 150; i++) {
  const { name, density, spread } = materials[i % materials.length];
  const diameter = 1 + 2 * uniform();
  const mass = (Math.PI / 6) * diameter ** 3 * density * (1 + spread * normal()) * (1 + 0.1 * normal());
  rows.push(`${(diameter + 0.05 * normal()).toFixed(2)},${Math.log10(mass).toFixed(3)},${name}`);
}
fs.writeFileSync(new URL('../examples/data/marbles.csv', import.meta.url), `${rows.join('\n')}\n`);
