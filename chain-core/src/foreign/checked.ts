// An endpoint behind which another chain may stand tomorrow: its identity is compared at the first call and again
// whenever it comes back (building-blocks 6).
import type { Transport } from "@causeway/primitives";
import { Failure, RpcError } from "@causeway/primitives";

/** `check` throws unless `call` reaches the right chain; it runs before any other call passes. */
export function checkedTransport(
  call: Transport,
  check: (call: Transport) => Promise<void>,
): Transport {
  let checking: Promise<void> | undefined;
  return async (method, params, options) => {
    checking ??= check(call);
    const mine = checking;
    try {
      await mine;
      return await call(method, params, options);
    } catch (error) {
      // An error that the node itself answered says that it is still there.
      const isAnswer = error instanceof RpcError && error.code === "rpc-error";
      if (!isAnswer && checking === mine) checking = undefined;
      throw error;
    }
  };
}

/** The Failure of an endpoint that serves another chain. */
export function wrongChain(expected: string, got: string): Failure {
  return new Failure("wrong-chain", `the node serves chain ${got}, not ${expected}`);
}
