// headers: anyone's Bitcoin headers for the ledger's own header chain (WIT-4). What a reorganisation takes or
// brings back is seen at the end of the block, from the best chain itself.
import { equal, isRejected, rejected } from "@causeway/primitives";
import type { Headers } from "../../codec/action.ts";
import { headersCodec, kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { setDue } from "./accounting.ts";
import type { HeadersCode } from "./header-chain.ts";
import { readExtension, storeExtension } from "./header-chain.ts";

export type HeadersRuleCode = HeadersCode | "unknown-chain";

export const headersRule: Rule<Headers> = {
  kind: kinds.headers,
  codec: headersCodec,
  carriers: [roles.relay, roles.signer],
  balance: () => [],
  validate: (context, { chain, headers }) => {
    if (!equal(chain, context.genesis.bitcoin.chain))
      return rejected<HeadersRuleCode>("unknown-chain", "headers of another chain");
    const extension = read(context, headers);
    return isRejected(extension) ? extension : undefined;
  },
  apply: (context, { headers }) => {
    const extension = read(context, headers);
    if (isRejected(extension)) return;
    if (storeExtension(context.genesis, context.state, extension)) setDue(context.state);
  },
};

function read(
  { genesis, state, time }: ActionContext,
  headers: Uint8Array,
): ReturnType<typeof readExtension> {
  return readExtension(genesis, state, headers, time);
}
