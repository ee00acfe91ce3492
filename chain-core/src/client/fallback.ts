// Several endpoints as one: the next when one is silent, beginning with the one that answered last.
import type { Transport } from "@causeway/primitives";
import { Failure, RpcError } from "@causeway/primitives";

/**
 * An answer, also a refusal, is an answer: only silence and nonsense go on to the next endpoint. Rejects with the
 * last endpoint's Failure when none answers. `timeoutMs` of a call is for each endpoint.
 */
export function fallbackTransport(endpoints: readonly Transport[]): Transport {
  let first = 0;
  return async (method, params, options) => {
    let failure = new Failure("unreachable", "no endpoints are configured");
    for (let i = 0; i < endpoints.length; i++) {
      const index = (first + i) % endpoints.length;
      const call = endpoints[index];
      if (call === undefined) continue;
      try {
        const result = await call(method, params, options);
        first = index;
        return result;
      } catch (error) {
        if (!(error instanceof Failure) || !goesOn(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  };
}

/** Busy, pruned and internal errors are the endpoint's own trouble. */
const ownTroubles: readonly number[] = [-32002, -32003, -32603];

function goesOn(error: Failure): boolean {
  return !(error instanceof RpcError) || ownTroubles.includes(error.rpcCode);
}
