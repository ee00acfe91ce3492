// Drives the machine that joins by a snapshot (snapshot/join.ts): its messages over the stream `sync`, its chunks into
// the staging store.
import type { Clock, Log, Rejected } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import { initial, step } from "../snapshot/join.ts";
import type {
  JoinCode,
  JoinConfig,
  JoinEffect,
  JoinEvent,
  Joined,
} from "../snapshot/join-state.ts";
import type { Staging } from "./staging.ts";
import type { SyncService } from "./sync-service.ts";

export type JoinOptions = {
  readonly config: Omit<JoinConfig, "loaded">;
  readonly service: SyncService;
  readonly staging: Staging;
  /** Ends of epochs that are here and should stay, up to the config's start. */
  readonly earlier: Joined["ends"];
  readonly clock: Clock;
  readonly log: Log;
};

/** Lines of progress in the log. */
const reports = 10;

/** Resolves when the staging store is a whole one, or with why not. Rejects with what the disk says. */
export async function joinBySnapshot(options: JoinOptions): Promise<Joined | Rejected<JoinCode>> {
  const { config, service, staging, earlier, clock, log } = options;
  const { loaded } = staging;
  const end = Promise.withResolvers<Joined | Rejected<JoinCode>>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let count = 0;
  let total = 0;
  const write = (job: () => Promise<void>): void => {
    writing = writing.then(job);
    writing.catch(end.reject);
  };
  const happen = (event: JoinEvent): void => {
    try {
      perform(step(state, event)[1]);
    } catch (error) {
      end.reject(error);
    }
  };
  const perform = (effects: readonly JoinEffect[]): void => {
    for (const effect of effects) performOne(effect);
  };
  const performOne = (effect: JoinEffect): void => {
    switch (effect.kind) {
      case "send":
        service.send(effect.to, effect.message);
        break;
      case "ban":
        service.ban(effect.peer, effect.reason);
        break;
      case "begin":
        total = effect.manifest.chunks;
        write(async () => {
          count = await staging.begin(effect.manifest);
          const { height } = effect.manifest;
          log.info("joining by a snapshot", { height, chunks: total, kept: count });
        });
        break;
      case "store":
        write(async () => {
          await staging.store(effect.index, effect.edges, effect.entries);
          count += 1;
          if (count % Math.ceil(total / reports) === 0 || count === total)
            log.info("chunks loaded", { count, total });
          happen({ kind: "stored", at: clock.nowMs(), index: effect.index });
        });
        break;
      case "wake":
        clearTimeout(timer);
        timer = setTimeout(wake, Math.max(1, effect.at - clock.nowMs()));
        break;
      case "end":
        end.resolve(effect.result);
        break;
    }
  };
  const wake = (): void => happen({ kind: "woke", at: clock.nowMs() });
  const [state, effects] = initial({ ...config, ...(loaded && { loaded }) }, clock.nowMs());
  service.listen({
    connected: (peer) => happen({ kind: "connected", at: clock.nowMs(), peer }),
    disconnected: (peer) => happen({ kind: "disconnected", at: clock.nowMs(), peer }),
    message: (from, bytes) => happen({ kind: "message", at: clock.nowMs(), from, bytes }),
  });
  try {
    perform(effects);
    for (const peer of service.peers()) happen({ kind: "connected", at: clock.nowMs(), peer });
    const result = await end.promise;
    await writing;
    if (!isRejected(result))
      await staging.finish({ ...result, ends: [...earlier, ...result.ends] });
    return result;
  } finally {
    service.listen(undefined);
    clearTimeout(timer);
    await writing.catch(() => undefined);
  }
}
