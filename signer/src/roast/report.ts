// What ROAST's coordinator hears and orders, and what it saw of who cheated.
import type { Bytes32 } from "@causeway/primitives";
import type { Commit, SessionOpen, Share } from "./message.ts";

/** Sender's fault, as the coordinator saw it; what of it others can be shown is `prove`'s to say (evidence.ts). */
export type Evidence =
  /** Not one well-formed nonce a message in `commit`. */
  | { readonly code: "bad-nonce"; readonly commit: Commit }
  /** Not one partial signature a message, or number `index` is wrong, for `commit` in the session `open`. */
  | {
      readonly code: "bad-share";
      readonly index: number;
      readonly open: SessionOpen;
      readonly commit: Commit;
      readonly share: Share;
    };

export type Event =
  /** `seat` has been authenticated as the sender. */
  | { readonly kind: "committed"; readonly seat: number; readonly commit: Commit }
  | { readonly kind: "answered"; readonly seat: number; readonly share: Share }
  /** The order to wait is over; early, late and repeated ones are harmless. */
  | { readonly kind: "waited" };

export type Effect =
  /** Send the opening to these seats; again for one that seems to have lost it. */
  | {
      readonly kind: "open";
      readonly sid: Bytes32;
      readonly open: SessionOpen;
      readonly recipients: readonly number[];
    }
  /** Deliver `waited` after {@link breathMs}, when what is on its way has been heard. */
  | { readonly kind: "wait" }
  /** One BIP340 signature of 64 bytes a message, verified. */
  | { readonly kind: "done"; readonly signatures: readonly Uint8Array[] }
  /** This seat cheated; whatever else it sends here is ignored. */
  | { readonly kind: "malicious"; readonly seat: number; readonly evidence: Evidence };

/** ms: about what a session that was opened for nothing would cost the coordinator. */
export function breathMs(messages: number): number {
  return 4 + messages;
}
