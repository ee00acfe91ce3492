// SPDX-License-Identifier: MIT
// No item stops a batch, none is starved, and what could not be paid waits as a claim (ETH-2).
pragma solidity 0.8.37;

import {Batch, IGateway, Signature, TokenSetting} from "../src/IGateway.sol";
import {Fixture} from "./lib/Fixture.sol";
import {Bomb, Burner, Caller, Hungry, Moody} from "./lib/Recipients.sol";
import {LyingToken, SilentToken} from "./lib/Tokens.sol";

contract ItemsTest is Fixture {
    function setUp() public override {
        super.setUp();
        vm.deal(address(gateway), 10_000 ether);
        run(1, item(MINT, address(wrapped), address(1), 1));
    }

    /// @dev Adds a foreign token with the fixture's capacity.
    function list(address token) private {
        uint64 nonce = 1000 + uint64(uint160(token) % 1000);
        setToken(nonce, TokenSetting(token, 1, CAPACITY));
        vm.warp(block.timestamp + 7 days);
        gateway.applyToken(token);
    }

    function test_aFailingRecipientBecomesAClaimAndOthersArePaid() external {
        Moody moody = new Moody();
        bytes memory failing = item(RELEASE_ETH, ETH, address(moody), 1 ether);
        bytes memory items = bytes.concat(
            item(MINT, address(wrapped), USER, 1), failing, item(RELEASE_ETH, ETH, USER, 1), failing
        );
        Batch memory batch = batchOf(2, items);
        Signature memory signature = signBatch(batch);
        vm.expectEmit(true, true, true, true, address(gateway));
        emit IGateway.Executed(2, batchDigest(batch), 10, RELAYER);
        send(batch, signature);
        isTrue(isClaim(2, 1) && isClaim(2, 3), "no claims");
        eq(wrapped.balanceOf(USER), 1);
        eq(USER.balance, 1);

        vm.expectRevert(IGateway.NotPaid.selector);
        gateway.claim(2, 10, 1, items);
        moody.set(true);
        vm.expectEmit(true, true, true, true, address(gateway));
        emit IGateway.Claimed(2, 1, address(this));
        claim(2, 1);
        eq(address(moody).balance, 1 ether);
        isTrue(!isClaim(2, 1) && isClaim(2, 3), "the other claim is gone");
        vm.expectRevert(IGateway.BadClaim.selector);
        gateway.claim(2, 10, 1, items);
        vm.expectRevert(IGateway.BadClaim.selector);
        gateway.claim(2, 8, 1, items);
        claim(2, 3);
        eq(address(moody).balance, 2 ether);
        isTrue(gateway.claimsOf(2) == 0, "claims left");
        vm.expectRevert(IGateway.BadClaim.selector);
        gateway.claim(2, 0, 3, items);
    }

    function testFuzz_onlyTheItemItselfCanBeClaimed(uint8 place, uint8 bits, uint256 open)
        external
    {
        vm.assume(bits != 0 && open != 1);
        Moody moody = new Moody();
        bytes memory items = item(RELEASE_ETH, ETH, address(moody), 1 ether);
        run(2, items);
        run(3, item(MINT, address(wrapped), USER, 1));
        moody.set(true);
        items[place % 57] ^= bytes1(bits);
        vm.expectRevert(IGateway.BadClaim.selector);
        gateway.claim(2, 1, 0, items);
        items[place % 57] ^= bytes1(bits);
        vm.expectRevert(IGateway.BadClaim.selector);
        gateway.claim(2, open, 0, items);
        for (uint256 index = 1; index < 300; index += 51) {
            vm.expectRevert(IGateway.BadClaim.selector);
            gateway.claim(2, 1, index, items);
        }
        vm.expectRevert(IGateway.BadClaim.selector);
        gateway.claim(3, 1, 0, items);
        gateway.claim(2, 1, 0, items);
    }

    function testFuzz_noRelayerCanStarveAnItem(uint24 gasLimit, uint256 overhead, uint8 count)
        external
    {
        // It needs 49 k of the stipend of 50 k: with less, it would fail.
        Hungry hungry = new Hungry(48_000);
        count = uint8(within(count, 1, 4));
        bytes memory items;
        for (uint256 i = 0; i < count; ++i) {
            items = bytes.concat(items, item(RELEASE_ETH, ETH, address(hungry), 1));
        }
        Batch memory batch =
            Batch(keyId, 2, STIPEND, uint32(within(overhead, 16_000, 40_000)), items);
        Signature memory signature = signBatch(batch);
        vm.cool(address(hungry));
        vm.cool(address(gateway));
        uint256 given = within(gasLimit, 30_000, 100_000 + uint256(count) * 90_000);
        try gateway.execute{gas: given}(batch, signature) {
            eq(hungry.meals(), count);
            isTrue(gateway.claimsOf(2) == 0, "starved");
        } catch {
            isTrue(!gateway.isUsed(2), "used");
        }
    }

    function test_enoughGasIsAskedForBeforeTheCall() external {
        Batch memory batch = batchOf(2, item(RELEASE_ETH, ETH, USER, 1));
        Signature memory signature = signBatch(batch);
        vm.expectRevert(IGateway.NotEnoughGas.selector);
        gateway.execute{gas: 85_000}(batch, signature);
        gateway.execute{gas: 120_000}(batch, signature);
    }

    /// @dev test/bench/gas.ts measures the worst batch on Anvil; here only that none is stuck.
    function test_fiftyBadRecipientsNeverStickABatch() external {
        for (uint64 kind = 0; kind < 3; ++kind) {
            bytes memory items;
            for (uint256 i = 0; i < 50; ++i) {
                address made =
                    kind == 0 ? address(new Burner()) : address(new Bomb(kind == 1));
                items = bytes.concat(items, item(RELEASE_ETH, ETH, made, 1));
            }
            Batch memory batch = batchOf(2 + kind, items);
            Signature memory signature = signBatch(batch);
            gateway.execute{gas: 4_400_000}(batch, signature);
            // The bombs that return pay for what they return: they are paid.
            bytes32 all = keccak256(abi.encode((1 << 50) - 1, items));
            isTrue(gateway.claimsOf(2 + kind) == (kind == 2 ? bytes32(0) : all), "wrong claims");
        }
    }

    function testFuzz_anItemOverTheCapWaitsUntilTheCapRefills(uint256 first, uint256 wait)
        external
    {
        first = within(first, 1, CAPACITY);
        bytes memory second = item(RELEASE_ETH, ETH, USER, CAPACITY);
        run(2, bytes.concat(item(RELEASE_ETH, ETH, USER, first), second));
        isTrue(!isClaim(2, 0) && isClaim(2, 1), "not the second alone");
        (,, uint256 available) = gateway.tokenOf(ETH);
        eq(available, CAPACITY - first);
        uint256 whole = (first * 1 days + CAPACITY - 1) / CAPACITY;
        wait = within(wait, 0, 2 days);
        vm.warp(block.timestamp + wait);
        vm.deal(address(gateway), 10_000 ether);
        if (wait < whole) vm.expectRevert(IGateway.NotPaid.selector);
        gateway.claim(2, 2, 1, itemsOf[2]);
        eq(USER.balance, wait < whole ? first : first + CAPACITY);
    }

    function testFuzz_aWindowNeverPaysMoreThanTwiceTheCap(uint256[6] memory amounts) external {
        for (uint64 i = 0; i < 6; ++i) {
            run(2 + i, item(RELEASE_ETH, ETH, USER, within(amounts[i], 1, CAPACITY)));
            vm.warp(block.timestamp + 4 hours);
        }
        isTrue(USER.balance <= 2 * uint256(CAPACITY), "more than burst and refill");
    }

    function test_anItemThatFailsUsesNoCap() external {
        Moody moody = new Moody();
        run(2, item(RELEASE_ETH, ETH, address(moody), CAPACITY));
        (,, uint256 available) = gateway.tokenOf(ETH);
        eq(available, CAPACITY);
    }

    function test_anotherCapacityForgetsNothingOfWhatWasUsed() external {
        run(2, item(RELEASE_ETH, ETH, USER, CAPACITY / 2));
        gateway.limit(ETH, CAPACITY * 3 / 4, quorumOf(limitHash(ETH, CAPACITY * 3 / 4), 0, 3));
        (,, uint256 available) = gateway.tokenOf(ETH);
        eq(available, CAPACITY / 4);
        gateway.limit(ETH, CAPACITY / 4, quorumOf(limitHash(ETH, CAPACITY / 4), 0, 3));
        (,, available) = gateway.tokenOf(ETH);
        eq(available, 0);
    }

    function test_kindsThatDoNotFitTheTokenAreNotPaid() external {
        // Each would succeed at the token: it is Gateway that refuses.
        foreign.give(address(gateway), 10);
        run(3, item(MINT, address(wrapped), address(gateway), 10));
        bytes memory items = bytes.concat(
            item(0, ETH, USER, 1),
            item(4, ETH, USER, 1),
            item(MINT, address(foreign), USER, 1),
            item(MINT, ETH, USER, 1),
            item(RELEASE_ETH, address(foreign), USER, 1),
            item(RELEASE_ERC20, ETH, USER, 1),
            item(RELEASE_ERC20, address(wrapped), USER, 1),
            item(RELEASE_ERC20, address(0x1234), USER, 1)
        );
        run(2, items);
        for (uint256 i = 0; i < 8; ++i) {
            isTrue(isClaim(2, i), "paid");
        }
        eq(USER.balance + foreign.balanceOf(USER) + wrapped.balanceOf(USER), 0);
    }

    function test_tokensAreBelievedWhenTheySayTrueOrNothing() external {
        SilentToken silent = new SilentToken();
        LyingToken lying = new LyingToken();
        list(address(silent));
        list(address(lying));
        silent.give(address(gateway), 5);
        run(2, item(RELEASE_ERC20, address(silent), USER, 5));
        eq(silent.balanceOf(USER), 5);
        bytes[5] memory answers = [
            abi.encode(uint256(0)),
            abi.encode(uint256(2)),
            abi.encodePacked(true),
            abi.encode(uint256(1) << 255),
            bytes(hex"0000000000000000000000000000000000000000000000000000000000000001ff")
        ];
        for (uint64 i = 0; i < 5; ++i) {
            lying.lie(answers[i]);
            run(10 + i, item(RELEASE_ERC20, address(lying), USER, 1));
            // The last one is the word 1 with more behind it: true for every caller.
            isTrue(isClaim(10 + i, 0) == (i < 4), "believed");
        }
    }

    function test_aRecipientCannotEnterAgain() external {
        Caller caller = new Caller();
        vm.deal(address(this), 1 ether);
        Moody moody = new Moody();
        run(2, item(RELEASE_ETH, ETH, address(moody), 1));
        moody.set(true);
        bytes[4] memory calls = [
            abi.encodeCall(IGateway.claim, (2, 1, 0, itemsOf[2])),
            abi.encodeCall(IGateway.deposit, (ETH, 0, toLedger(), 0)),
            abi.encodeCall(IGateway.applyToken, (ETH)),
            abi.encodeCall(IGateway.recover, ())
        ];
        for (uint64 i = 0; i < 4; ++i) {
            caller.tell(address(gateway), calls[i]);
            Batch memory batch = Batch(keyId, 3 + i, 200_000, OVERHEAD, "");
            batch.items = item(RELEASE_ETH, ETH, address(caller), 1);
            gateway.execute(batch, signBatch(batch));
            isTrue(caller.called() && !caller.worked(), "entered");
        }
    }

    function test_aPausedDoorPaysNothing() external {
        Moody moody = new Moody();
        run(2, item(RELEASE_ETH, ETH, address(moody), 1));
        moody.set(true);
        pause(2);
        vm.expectPartialRevert(IGateway.Paused.selector);
        this.tryRun(3);
        vm.expectPartialRevert(IGateway.Paused.selector);
        gateway.claim(2, 1, 0, itemsOf[2]);
        vm.warp(block.timestamp + 7 days);
        this.tryRun(3);
        claim(2, 0);
    }

    function tryRun(uint64 nonce) external {
        run(nonce, item(MINT, address(wrapped), USER, 1));
    }

    function test_theFirstMintOfATokenFitsTheStipend() external {
        super.setUp();
        run(1, item(MINT, address(wrapped), USER, 1));
        eq(wrapped.balanceOf(USER), 1);
    }
}
