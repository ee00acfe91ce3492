// SPDX-License-Identifier: MIT
// A batch runs once, as it was signed, under the present key (ETH-1, ETH-3).
pragma solidity 0.8.37;

import {Batch, IGateway, Signature} from "../src/IGateway.sol";
import {Fixture} from "./lib/Fixture.sol";

contract ExecuteTest is Fixture {
    function test_aBatchMintsAndReleases() external {
        vm.deal(address(gateway), 5 ether);
        foreign.give(address(gateway), 100);
        bytes memory items = bytes.concat(
            item(MINT, address(wrapped), USER, 7),
            item(RELEASE_ETH, ETH, USER, 2 ether),
            item(RELEASE_ERC20, address(foreign), USER, 30)
        );
        Batch memory batch = batchOf(1, items);
        Signature memory signature = signBatch(batch);
        vm.expectEmit(true, true, true, true, address(gateway));
        emit IGateway.Executed(1, batchDigest(batch), 0, RELAYER);
        vm.prank(RELAYER);
        gateway.execute(batch, signature);
        eq(wrapped.balanceOf(USER), 7);
        eq(USER.balance, 2 ether);
        eq(foreign.balanceOf(USER), 30);
        isTrue(gateway.isUsed(1), "nonce not used");
        eq(gateway.lastSignatureAt(), block.timestamp);
    }

    function testFuzz_aNonceRunsOnceInAnyOrder(uint32[8] memory nonces) external {
        for (uint256 i = 0; i < nonces.length; ++i) {
            // Windows of 48 are crossed back and forth.
            uint64 nonce = uint64(within(nonces[i], 1, 300));
            bool used = gateway.isUsed(nonce);
            for (uint256 j = 0; j < i; ++j) {
                if (within(nonces[j], 1, 300) == nonce) isTrue(used, "forgotten");
            }
            vm.warp(block.timestamp + 1);
            if (used) vm.expectPartialRevert(IGateway.BadNonce.selector);
            this.runEmpty(nonce);
            isTrue(gateway.isUsed(nonce), "not used");
            if (!used) eq(gateway.lastSignatureAt(), block.timestamp);
        }
    }

    function runEmpty(uint64 nonce) external {
        Batch memory batch = batchOf(nonce, "");
        gateway.execute(batch, signBatch(batch));
    }

    function test_noncesEndWhereTheWindowsEnd() external {
        uint64 last = uint64(48 * 2 ** 39 - 1);
        this.runEmpty(last);
        isTrue(gateway.isUsed(last), "not used");
        vm.expectPartialRevert(IGateway.BadNonce.selector);
        this.runEmpty(last + 1);
        vm.expectPartialRevert(IGateway.BadNonce.selector);
        this.runEmpty(0);
        this.runEmpty(1);
    }

    function testFuzz_aBatchThatDiffersFromTheSignedOneIsRefused(uint256 which, uint256 with)
        external
    {
        Batch memory batch = batchOf(1, item(MINT, address(wrapped), USER, 7));
        Signature memory signature = signBatch(batch);
        which = within(which, 0, 5);
        bytes32 before = keccak256(abi.encode(batch));
        if (which == 0) batch.keyId = uint32(with);
        else if (which == 1) batch.nonce = uint64(within(with, 1, 1000));
        else if (which == 2) batch.stipend = uint32(within(with, 1, 1_000_000));
        else if (which == 3) batch.overhead = uint32(with);
        else if (which == 4) batch.items[with % 57] ^= bytes1(uint8(within(with >> 8, 1, 255)));
        else batch.items = bytes.concat(batch.items, batch.items);
        vm.assume(keccak256(abi.encode(batch)) != before);
        vm.expectRevert(IGateway.BadSignature.selector);
        gateway.execute(batch, signature);
    }

    function test_aSignatureHoldsForOneChainOneContractOneKey() external {
        Batch memory batch = batchOf(1, item(MINT, address(wrapped), USER, 7));
        Signature memory signature = signBatch(batch);
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        vm.expectRevert(IGateway.BadSignature.selector);
        gateway.execute(batch, signature);
        vm.chainId(chain);
        Signature memory other = sealOf(NEXT_SECRET, batchDigest(batch));
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.execute(batch, other);
        // The right key named, the wrong one signs.
        other.px = signature.px;
        vm.expectRevert(IGateway.BadSignature.selector);
        gateway.execute(batch, other);
        gateway.execute(batch, signature);
    }

    function test_malformedItemsAreRefused() external {
        this.tryItems(new bytes(57 * 50));
        vm.expectRevert(IGateway.BadBatch.selector);
        this.tryItems(new bytes(57 * 51));
        vm.expectRevert(IGateway.BadBatch.selector);
        this.tryItems(new bytes(56));
        Batch memory batch = batchOf(3, "");
        batch.stipend = 0;
        Signature memory signature = signBatch(batch);
        vm.expectRevert(IGateway.BadBatch.selector);
        gateway.execute(batch, signature);
    }

    function tryItems(bytes memory items) external {
        run(9, items);
    }

    function test_ofFiftyItemsEachHasItsBit() external {
        bytes memory items;
        for (uint256 i = 0; i < 50; ++i) {
            // Every third cannot be paid: no ETH here.
            items = bytes.concat(
                items,
                i % 3 == 0 ? item(RELEASE_ETH, ETH, USER, 1) : item(MINT, address(wrapped), USER, 1)
            );
        }
        run(1, items);
        for (uint256 i = 0; i < 50; ++i) {
            isTrue(isClaim(1, i) == (i % 3 == 0), "claims differ from the bitmap");
        }
        eq(wrapped.balanceOf(USER), 33);
    }
}
