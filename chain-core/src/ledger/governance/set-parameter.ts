// setParameter: a change of one parameter, an addition to the asset registry, or a payment from the restitution pool, that the committee's quorum has
// approved (GOV-1). It is stored with its day; the epoch's turn makes it take effect.
import type { Codec, Rejected } from "@causeway/primitives";
import { ContainerType, codec, fromBigEndian } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { quorum } from "../../consensus/quorum.ts";
import { epochOf } from "../epoch/epochs.ts";
import type { Genesis } from "../genesis.ts";
import type { Rule } from "../rule.ts";
import type { Approval } from "./approval.ts";
import { approvalType, checkApproval, governSequence, useGovernSequence } from "./approval.ts";
import type { Change } from "./changes.ts";
import { changeFields, checkAhead, checkChange, isLoosening, putPending } from "./changes.ts";
import { describePrice, parsePriceKey } from "./price.ts";
import { parseAssetKey } from "./registry.ts";
import { describeRestitution, isRestitution } from "./restitution.ts";

export type SetParameter = { change: Change; approval: Approval };
const changeType = new ContainerType(changeFields);
export const setParameterCodec: Codec<SetParameter> = codec(
  "setParameter",
  new ContainerType({ change: changeType, approval: approvalType }),
  2 * 1024,
);
/** Subject of a change's approval. */
export const changeCodec: Codec<Change> = codec("change", changeType, 2 * 1024);

/** What the approval of a change is over. */
export function changeSubject(change: Change): Uint8Array {
  return changeCodec.encode(change);
}

export const setParameterRule: Rule<SetParameter> = {
  kind: kinds.setParameter,
  codec: setParameterCodec,
  carriers: "anyone",
  balance: () => [],
  validate: (context, { change, approval }): Rejected | undefined => {
    const { state, genesis } = context;
    return (
      checkAhead(change.epoch, epochOf(state).number) ??
      checkChange(state, genesis, change) ??
      checkApproval(
        context,
        { kind: kinds.setParameter, subject: changeSubject(change) },
        approval,
        { expected: governSequence(state), needed: quorum },
      )
    );
  },
  apply: ({ state, genesis, params, time }, { change }) => {
    useGovernSequence(state);
    const isLoose = change.value.length > 0 && isLoosening(state, genesis, change);
    putPending(state, { ...change, notBefore: isLoose ? time + params.govDelayMs : 0 });
  },
  describe: (genesis: Genesis, { change }) => {
    const { key, value, epoch } = change;
    const name = new TextDecoder().decode(key);
    if (value.length === 0) return `Take back the pending change of ${name}`;
    if (parsePriceKey(key) !== undefined) return describePrice(change, epoch);
    if (isRestitution(key)) return describeRestitution(genesis, change, epoch);
    if (parseAssetKey(key) !== undefined) return `Add ${name} to the registry in epoch ${epoch}`;
    return `Set ${name} to ${fromBigEndian(value)} in epoch ${epoch}`;
  },
};
