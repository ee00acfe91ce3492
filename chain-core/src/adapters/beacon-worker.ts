// The beacon's worker thread: walks and judges at the lowest priority, in slices, so that no vote waits for it. Judging
// goes before walking: a block may need the verdict.
import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import type { Claim, Search, Verdict } from "../beacon/index.ts";
import { advance, beaconField, judge, search } from "../beacon/index.ts";
import type { Event, Job } from "../beacon/machine.ts";
import { createBls } from "./bls.ts";

/** To the worker. A job replaces the one before; without one it rests. Told to, it ends after its slice. */
export type ToWorker =
  | { readonly kind: "end" }
  | { readonly kind: "work"; readonly job?: Job }
  | { readonly kind: "judge"; readonly id: string; readonly claim: Claim };

/** From the worker. */
export type FromWorker =
  | Extract<Event, { readonly kind: "walked" }>
  | { readonly kind: "judged"; readonly id: string; readonly verdict: Verdict };

/** Some 18 ms: what a judgement or a new job waits at most. */
const triesPerSlice = 2;
const stepsPerSlice = 512;
/** Between two reports of progress, each of which is written to the journal: some 9 s. */
const stepsPerReport = 262_144;

const say = (message: FromWorker): void => parentPort?.postMessage(message);
const bls = createBls();

type Work = { readonly job: Job; readonly at: Search; readonly reported: number };
let work: Work | undefined;
const claims: (ToWorker & { kind: "judge" })[] = [];
let running = false;

// Null in the main thread, which imports this file only to prepare it.
if (parentPort !== null) {
  // On Linux a thread has a priority of its own; elsewhere this would lower the whole process, and the slices must do.
  if (process.platform === "linux") setPriority(constants.priority.PRIORITY_LOW);
  parentPort.on("message", (message: ToWorker) => {
    if (message.kind === "end") {
      claims.length = 0;
      work = undefined;
      return parentPort?.close();
    }
    if (message.kind === "judge") claims.push(message);
    else work = message.job && begin(message.job);
    if (!running) run();
  });
}

function begin(job: Job): Work {
  return { job, at: { status: "searching", walk: job.from }, reported: job.from.index };
}

/** One judgement or one slice, then the messages that came meanwhile. */
function run(): void {
  const next = claims.shift();
  if (next !== undefined) {
    const { id, claim } = next;
    say({ kind: "judged", id, verdict: judge(bls, claim) });
  } else if (work !== undefined) work = walk(work);
  running = claims.length > 0 || work !== undefined;
  if (running) setImmediate(run);
}

function walk({ job, at: before, reported }: Work): Work | undefined {
  const at = slice(job, before);
  const isDone = at.status !== "searching";
  if (!isDone && at.walk.index < reported + stepsPerReport) return { job, at, reported };
  say({ kind: "walked", id: job.id, ...at });
  return isDone ? undefined : { job, at, reported: at.walk.index };
}

function slice(job: Job, { walk: from }: Search): Search {
  if (job.kind === "solve") return search(job.puzzle, from, triesPerSlice);
  const end = advance(beaconField, from, Math.min(stepsPerSlice, job.until - from.index));
  return { status: end.index < job.until ? "searching" : "solved", walk: end };
}
