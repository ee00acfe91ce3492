// For tests only: what operators and guardians of the test network sign.
import { signRecoverable } from "@causeway/primitives/secp256k1";
import { bitmapOf } from "../../codec/bitmap.ts";
import type { Genesis } from "../genesis.ts";
import { testBls, testSecret, validatorSecret } from "../testing.ts";
import type { Act, Approval } from "./approval.ts";
import { approvalDigest } from "./approval.ts";
import type { GuardOrder, GuardSignature } from "./guard.ts";
import { guardDigest } from "./guard.ts";

/** The approval of an act by the attest keys of these seats. */
export function testApproval(genesis: Genesis, act: Act, seats: readonly number[]): Approval {
  const digest = approvalDigest(genesis.networkId, act);
  const signatures = seats.map((seat) => testBls.sign(validatorSecret(seat, "attestKey"), digest));
  return {
    sequence: act.sequence,
    epoch: act.epoch,
    bitmap: bitmapOf(seats, genesis.validators.length),
    signature: signatures.length > 0 ? testBls.aggregate(signatures) : new Uint8Array(96),
  };
}

export function testGuardian(
  { networkId }: Genesis,
  order: GuardOrder,
  guardian: number,
): GuardSignature {
  const signature = signRecoverable(
    testSecret(`guardian ${guardian}`),
    guardDigest(networkId, order),
  );
  return { guardian, signature };
}
