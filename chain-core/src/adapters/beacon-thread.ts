// The beacon's worker thread as the node sees it: jobs and claims in, reports and verdicts out.
import { Worker } from "node:worker_threads";
import { Failure } from "@causeway/primitives";
import type { Claim, Verdict } from "../beacon/index.ts";
import type { Event, Job } from "../beacon/machine.ts";
import type { FromWorker, ToWorker } from "./beacon-worker.ts";

export type BeaconThread = {
  /** The machine's "work" and "rest": the job replaces the one before. */
  readonly work: (job: Job | undefined) => void;
  /** Rejects with the Failure "beacon-stopped" when the thread ends before. */
  readonly judge: (claim: Claim) => Promise<Verdict>;
  readonly stop: () => Promise<void>;
  /** Rejects when the thread dies. */
  readonly died: Promise<never>;
};

/** Starts the thread; `report` gets the machine's events. */
export function startBeacon(report: (event: Event) => void): BeaconThread {
  const worker = new Worker(new URL("./beacon-worker.ts", import.meta.url));
  const waiting = new Map<number, PromiseWithResolvers<Verdict>>();
  const say = (message: ToWorker): void => worker.postMessage(message);
  let asked = 0;
  let stopping = false;
  worker.on("message", (message: FromWorker) => {
    if (message.kind === "walked") return report(message);
    waiting.get(message.number)?.resolve(message.verdict);
    waiting.delete(message.number);
  });
  const ended = new Promise<number>((resolve) => worker.on("exit", resolve));
  const abandon = (): void => {
    for (const { reject } of waiting.values())
      reject(new Failure("beacon-stopped", "the beacon's thread ended before its verdict"));
    waiting.clear();
  };
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
      const verdict = Promise.withResolvers<Verdict>();
      waiting.set(++asked, verdict);
      say({ kind: "judge", number: asked, claim });
      return verdict.promise;
    },
    stop: async () => {
      stopping = true;
      await worker.terminate();
    },
    died,
  };
}
