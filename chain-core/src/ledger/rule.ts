// The one shape of an action kind (DESIGN 2): its bytes, its value balance, its validation, its effect.
// A new capability is a new file that exports a Rule and one line in rules.ts.
import type { Bls, Bytes32, Codec, Rejected } from "@causeway/primitives";
import type { Claim } from "../beacon/contribution.ts";
import type { Committee } from "../codec/block.ts";
import type { Genesis, Params } from "./genesis.ts";
import type { State } from "./state.ts";

/** What every rule of a block sees. `time` and `height` are those of the block being applied. */
export type BlockContext = {
  readonly genesis: Genesis;
  readonly params: Params;
  /** Of the protocol (GOV-1), and the base fee (ACC-2): both change after a block's last transaction. */
  readonly version: number;
  readonly baseFee: bigint;
  readonly bls: Bls;
  readonly state: State;
  readonly height: number;
  readonly time: number;
  /** The verdict on what may take a second to judge, or what was found on the same claim before. */
  readonly judged: (claim: Claim) => true | Rejected;
  /** The committee of an epoch that statements may still name (WIT-2), or undefined. */
  readonly committee: (epoch: number) => Committee | undefined;
};

/** And what an action of a transaction sees besides. */
export type ActionContext = BlockContext & {
  readonly txid: Bytes32;
  /** Position of the action in its transaction. */
  readonly position: number;
  /** Outputs that earlier actions of the transaction create (FMT-4); 0 where absent. */
  readonly firstOutput?: number;
  /** Who signed the envelope; absent in a user's transaction (CON-7). */
  readonly sender?: { readonly validator: Uint8Array; readonly role: number };
};

/** What a balance may depend on: a wallet computes it, too, and a thread without the state. */
export type BalanceContext = Pick<ActionContext, "genesis">;

/** Signed value that an action brings into (+) or takes out of (-) its transaction, per asset. */
export type Balance = readonly (readonly [asset: Uint8Array, value: bigint])[];

export type Rule<Body> = {
  readonly kind: number;
  /** The first version that has it, and the first that has it no more (versions.ts); absent: from the first, for good. */
  readonly since?: number;
  readonly until?: number;
  readonly codec: Codec<Body>;
  /** Who may bring it: users (paid), the envelope roles named (roles.relay, roles.signer), or users and all roles. */
  readonly carriers: "user" | "anyone" | readonly number[];
  readonly balance: (context: BalanceContext, body: Body) => Balance;
  /** Records that one such action adds to the state for good, in units of weight (fees/weight.ts). */
  readonly growth?: number;
  /** Locks that must sign besides those of the spent outputs. */
  readonly signers?: (body: Body) => readonly Uint8Array[];
  /** Undefined when valid. Reads only. Never throws on input. Cheap checks first. */
  readonly validate: (context: ActionContext, body: Body) => Rejected | undefined;
  /** Only after validate on the same state. */
  readonly apply: (context: ActionContext, body: Body) => void;
  /** One sentence for the EIP-712 message (FMT-6); spends and creates are rendered as fields instead. */
  readonly describe?: (genesis: Genesis, body: Body) => string;
};
