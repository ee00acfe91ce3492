// heartbeat: a validator's signer is there (RNG-2). Anybody in the register may give a sign of life: an election must
// know who of the candidates lives, too.
import type { Rejected } from "@causeway/primitives";
import { must, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { Heartbeat } from "../../ring/heartbeat.ts";
import { heartbeatCodec } from "../../ring/heartbeat.ts";
import { heartbeats, terms } from "../../ring/records.ts";
import type { Rule } from "../rule.ts";
import { isGone } from "./redraw.ts";

export type HeartbeatCode =
  /** The network's ring serves for ever: nobody asks who lives. */
  | "no-terms"
  /** Not the running one: the signer does not follow the ledger. */
  | "wrong-term"
  /** Jailed, tombstoned or out of service. */
  | "not-in-service"
  /** Less than half of `ringHeartbeatMs` after the last. */
  | "too-early";

export const heartbeatRule: Rule<Heartbeat> = {
  kind: kinds.heartbeat,
  codec: heartbeatCodec,
  carriers: [roles.signer],
  balance: () => [],
  validate: (context, { term }): Rejected<HeartbeatCode> | undefined => {
    const { state, params } = context;
    const { validator } = must(context.sender, "sender of an envelope");
    const running = must(terms.get(state, "only"), "terms").term;
    if (params.ringTermEpochs === 0) return rejected("no-terms", "the ring of the genesis stays");
    if (term !== running) return rejected("wrong-term", `term ${term}, term ${running} is running`);
    if (isGone(state, validator))
      return rejected("not-in-service", "the validator is not in service");
    const last = heartbeats.get(state, validator)?.at;
    if (last !== undefined && 2 * (context.time - last) < params.ringHeartbeatMs)
      return rejected("too-early", "the last heart-beat is not half its time old");
    return undefined;
  },
  apply: ({ state, time, sender }) => {
    if (sender !== undefined) heartbeats.put(state, sender.validator, { at: time });
  },
};
