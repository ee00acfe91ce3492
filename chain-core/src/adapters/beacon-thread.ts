// The beacon's worker thread as the node sees it: jobs and claims in, reports and verdicts out.
import { Worker } from "node:worker_threads";
import { Failure, keyOf } from "@causeway/primitives";
import type { Claim, Verdict } from "../beacon/index.ts";
import { claimId } from "../beacon/index.ts";
import type { Event, Job } from "../beacon/machine.ts";
import type { FromWorker, ToWorker } from "./beacon-worker.ts";

export type BeaconThread = {
  /** The machine's "work" and "rest": the job replaces the one before. */
  readonly work: (job: Job | undefined) => void;
  /**
   * Asked the same again it answers the same. Rejects with the Failure "beacon-busy" when too many claims wait, with
   * "beacon-stopped" when the thread ends before.
   */
  readonly judge: (claim: Claim) => Promise<Verdict>;
  /** What {@link judge} has found by now: for who applies a block and must not wait. */
  readonly verdictOf: (claim: Claim) => Verdict | undefined;
  readonly stop: () => Promise<void>;
  /** Rejects when the thread dies. */
  readonly died: Promise<never>;
};

/** Claims remembered: more than the contributions and segments of a day. */
const claimsMax = 4_096;

type Asked = PromiseWithResolvers<Verdict> & { verdict?: Verdict };

/** Starts the thread; `report` gets the machine's events. */
export function startBeacon(report: (event: Event) => void): BeaconThread {
  const worker = new Worker(new URL("./beacon-worker.ts", import.meta.url));
  const say = (message: ToWorker): void => worker.postMessage(message);
  /** By the claim's id, oldest first. */
  const claims = new Map<string, Asked>();
  let stopping = false;
  worker.on("message", (message: FromWorker) => {
    if (message.kind === "walked") return report(message);
    const asked = claims.get(message.id);
    if (asked === undefined) return;
    asked.verdict = message.verdict;
    asked.resolve(message.verdict);
  });
  const abandon = (): void => {
    const stopped = new Failure("beacon-stopped", "the beacon's thread ended before a verdict");
    for (const asked of claims.values()) asked.reject(stopped);
  };
  const ended = new Promise<number>((resolve) => worker.on("exit", resolve));
  const died = new Promise<never>((_, reject) => {
    worker.on("error", reject);
    ended
      .then((code) => {
        abandon();
        if (!stopping) reject(new Failure("beacon-died", `the beacon's thread ended with ${code}`));
      })
      .catch(reject);
  });
  return {
    work: (job) => say({ kind: "work", ...(job && { job }) }),
    judge: (claim) => {
      const id = keyOf(claimId(claim));
      const before = claims.get(id);
      if (before !== undefined) return before.promise;
      const [oldest] = claims;
      if (claims.size >= claimsMax && oldest !== undefined) {
        const [oldestId, { verdict }] = oldest;
        if (verdict === undefined)
          return Promise.reject(new Failure("beacon-busy", `${claimsMax} claims wait`));
        claims.delete(oldestId);
      }
      const asked: Asked = Promise.withResolvers<Verdict>();
      // Who only wants `verdictOf` later may drop the promise.
      asked.promise.catch(() => undefined);
      claims.set(id, asked);
      say({ kind: "judge", id, claim });
      return asked.promise;
    },
    verdictOf: (claim) => claims.get(keyOf(claimId(claim)))?.verdict,
    stop: async () => {
      stopping = true;
      abandon();
      // Native code that is cut off in the middle takes the whole process with it.
      say({ kind: "end" });
      await ended;
    },
    died,
  };
}
