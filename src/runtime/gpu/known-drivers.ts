/**
 * Kernels that suit drivers which are the same on every machine: what measuring found once.
 *
 * Owns: which of the kernels that a plan offers such a driver runs where nothing was measured. Results of a device
 * are the same every time, since its driver's name alone decides.
 */

interface KnownDriver {
  readonly name: RegExp;
  /** What the kernel is called beside the plan's own. */
  readonly prefers: string;
}

const drivers: readonly KnownDriver[] = [
  // Mesa's software driver has eight lanes: two layers of AudioMAE at 513 tokens take 0.7 of the time.
  { name: /\bllvmpipe\b/, prefers: "term by term" },
];

/** The label of the kernel that suits the adapter better than the plan's own, where there is one. */
export function knownToSuit(adapter: string, own: string): string | undefined {
  const driver = drivers.find(({ name }) => name.test(adapter));
  return driver && `${own}, ${driver.prefers}`;
}
