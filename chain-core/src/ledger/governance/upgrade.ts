// upgrade: the next protocol version from an epoch on, approved by the committee's quorum (GOV-1). Naming the
// running version takes a scheduled one back.
import type { Codec, Rejected } from "@causeway/primitives";
import { ContainerType, codec, rejected, u16, u64 } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import { quorum } from "../../consensus/quorum.ts";
import { epochOf } from "../epoch/epochs.ts";
import type { Rule } from "../rule.ts";
import type { StateReader } from "../state.ts";
import type { Approval } from "./approval.ts";
import { approvalType, checkApproval, governSequence, useGovernSequence } from "./approval.ts";
import { checkAhead } from "./changes.ts";
import { protocolVersion, protocolVersions } from "./version.ts";

/** `version` begins with the first block of `epoch`. */
export type Step = { version: number; epoch: number };
const stepFields = { version: u16, epoch: u64 };
const stepType = new ContainerType(stepFields);
/** Subject of an upgrade's approval. */
export const upgradeStepCodec: Codec<Step> = codec("upgrade step", stepType, 16);
export type Upgrade = { step: Step; approval: Approval };
export const upgradeCodec: Codec<Upgrade> = codec(
  "upgrade",
  new ContainerType({ step: stepType, approval: approvalType }),
  512,
);

/** What the approval of an upgrade is over. */
export function upgradeSubject(step: Step): Uint8Array {
  return upgradeStepCodec.encode(step);
}

/** Not the version after the running one, nor the running one while another is scheduled. */
export type UpgradeCode = "bad-version";

function checkVersion(state: StateReader, version: number): Rejected<UpgradeCode> | undefined {
  const { current, next } = protocolVersion(state);
  if (version === current + 1 || (version === current && next !== 0)) return undefined;
  return rejected("bad-version", `version ${version}, the running one is ${current}`);
}

export const upgradeRule: Rule<Upgrade> = {
  kind: kinds.upgrade,
  codec: upgradeCodec,
  carriers: "anyone",
  balance: () => [],
  validate: (context, { step, approval }): Rejected | undefined => {
    const { state } = context;
    return (
      checkAhead(step.epoch, epochOf(state).number) ??
      checkVersion(state, step.version) ??
      checkApproval(context, { kind: kinds.upgrade, subject: upgradeSubject(step) }, approval, {
        expected: governSequence(state),
        needed: quorum,
      })
    );
  },
  apply: ({ state }, { step: { version, epoch } }) => {
    useGovernSequence(state);
    const { current } = protocolVersion(state);
    const isBack = version === current;
    protocolVersions.put(state, "only", {
      current,
      next: isBack ? 0 : version,
      epoch: isBack ? 0 : epoch,
    });
  },
  describe: (_, { step: { version, epoch } }) =>
    `Upgrade to protocol version ${version} in epoch ${epoch}`,
};
