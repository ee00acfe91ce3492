// The one call that writes to Bitcoin, apart from the reads: hands out signed transactions (BTC-3).
import type { Rejected, Transport } from "@causeway/primitives";
import { RpcError, rejected, toHex } from "@causeway/primitives";

/**
 * not-yet: policy or inputs forbid it now (-25, -26: a reorganised deposit, a lock that has not ended, a fee too
 * low against the attempt before); again after the next block. refused: the node cannot read it (-22).
 */
export type BroadcastCode = "not-yet" | "refused";
export type Broadcast = "accepted" | "in-chain" | Rejected<BroadcastCode>;

const missingInputs = -25;
const policy = -26;
const alreadyInChain = -27;

/** With maxfeerate 0: the bump of a small transaction looks absurd to the node's default. Throws Failure. */
export async function broadcastBitcoin(
  call: Transport,
  transaction: Uint8Array,
): Promise<Broadcast> {
  try {
    await call("sendrawtransaction", [toHex(transaction), 0]);
    return "accepted";
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== "rpc-error") throw error;
    if (error.rpcCode === alreadyInChain) return "in-chain";
    const isLater = error.rpcCode === missingInputs || error.rpcCode === policy;
    return rejected(isLater ? "not-yet" : "refused", `${error.rpcCode}: ${error.message}`);
  }
}
