// ROAST at large sizes against the worst adaptive adversary and against chaos with liars among the coordinators (RNG):
// `node test/ring/roast.ts [t/n ...]`. The last line is `N passed, N failed, N skipped`.
import { parseArgs } from "node:util";
import { must, seeded } from "@causeway/primitives";
import { generateRing } from "../../signer/src/frost/testing.ts";
import type { Adversary, Behaviour, Lie, Outcome } from "../../signer/src/roast/testing.ts";
import {
  assertSigned,
  chaos,
  faults,
  jobOf,
  lies,
  worstCase,
} from "../../signer/src/roast/testing.ts";

const sizes = ["14/21", "67/100", "100/150"];
const messages = 2;
const { positionals } = parseArgs({ allowPositionals: true });
const count = { passed: 0, failed: 0 };

for (const size of positionals.length > 0 ? positionals : sizes) {
  const [t = 0, n = 0] = size.split("/").map(Number);
  const random = seeded(n);
  const ring = generateRing(n, t, random);
  const cheaters = [...Array(n - t).keys()];
  const judge = (what: string, outcome: Outcome, isLiar: (seat: number) => boolean): void => {
    const { by, signatures, malicious } = outcome;
    const sessions = [...outcome.sessions]
      .filter(([seat]) => !isLiar(seat))
      .map(([, some]) => some);
    const isDone = by !== undefined && signatures !== undefined;
    if (isDone) assertSigned(jobOf(ring, by, messages), signatures);
    const isFair = [...malicious].every((seat) => seat < n - t);
    const ok = isDone && isFair && Math.max(...sessions) <= n - t + 1;
    count[ok ? "passed" : "failed"] += 1;
    const most = Math.max(...sessions);
    process.stdout.write(`${ok ? "ok" : "FAILED"} ${size} ${what}: ${most} sessions at most\n`);
  };
  for (const behaviour of ["silent", "bad-share"] as const)
    judge(behaviour, worstCase(ring, cheaters, behaviour, random, messages), () => false);
  const adversary: Adversary = {
    signers: new Map(cheaters.map((seat): [number, Behaviour] => [seat, random.pick(faults)])),
    coordinators: new Map(cheaters.map((seat): [number, Lie] => [seat, random.pick(lies)])),
    restarts: 0,
  };
  // Three liars have their turn before an honest seat.
  const first = must(cheaters.at(-3), "cheater");
  const outcome = chaos(ring, adversary, random, first, messages);
  judge("chaos", outcome, (seat) => adversary.coordinators.has(seat));
}
process.stdout.write(`${count.passed} passed, ${count.failed} failed, 0 skipped\n`);
process.exitCode = count.failed === 0 ? 0 : 1;
