// SPDX-License-Identifier: MIT
// The ring hands over by itself; guardians take over only from a ring that is silent (ETH-1, ETH-3,
// GOV-2).
pragma solidity 0.8.37;

import {Batch, IGateway, Quorum, Signature, TokenSetting} from "../src/IGateway.sol";
import {WrappedToken} from "../src/WrappedToken.sol";
import {Fixture} from "./lib/Fixture.sol";

contract KeysTest is Fixture {
    function test_onlyTheNewKeyIsValidFromItsSettingOn() external {
        bytes32 next = keyOf(NEXT_SECRET);
        Batch memory batch = batchOf(1, item(MINT, address(wrapped), USER, 7));
        Signature memory old = signBatch(batch);
        Signature memory seal = setKeySeal(2, 5, next);
        vm.expectEmit(true, true, true, true, address(gateway));
        emit IGateway.Executed(2, setKeyDigest(2, 5, next), 0, address(this));
        vm.expectEmit(true, true, true, true, address(gateway));
        emit IGateway.KeySet(2, 5, next);
        gateway.setKey(1, 2, 5, next, seal);
        (uint32 id, bytes32 px) = gateway.key();
        eq(id, 5);
        eq(uint256(px), uint256(next));
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.execute(batch, old);
        // The same content under the same nonce, signed again by the new key (ETH-1).
        batch.keyId = 5;
        gateway.execute(batch, sealOf(NEXT_SECRET, batchDigest(batch)));
        eq(wrapped.balanceOf(USER), 7);
    }

    function test_aKeyThatIsNotNewerOrNoPointIsRefused() external {
        bytes32 next = keyOf(NEXT_SECRET);
        Signature memory seal = setKeySeal(2, 1, next);
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.setKey(1, 2, 1, next, seal);
        seal = setKeySeal(2, 2, bytes32(uint256(5)));
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.setKey(1, 2, 2, bytes32(uint256(5)), seal);
        isTrue(!gateway.isUsed(2), "used");
    }

    function test_messagesShareOneSequenceAndNoTag() external {
        heartbeat(1);
        vm.expectPartialRevert(IGateway.BadNonce.selector);
        this.tryEmpty(1);
        bytes memory message = abi.encode(block.chainid, address(gateway), 1, 2);
        Signature memory seal = sealOf(SECRET, digestOf("eth-batch", message));
        vm.expectRevert(IGateway.BadSignature.selector);
        gateway.heartbeat(1, 2, seal);
    }

    function tryEmpty(uint64 nonce) external {
        run(nonce, "");
    }

    function test_aPauseBlocksNeitherSetKeyNorHeartbeat() external {
        pause(3);
        heartbeat(1);
        eq(gateway.lastSignatureAt(), block.timestamp);
        gateway.setKey(1, 2, 2, keyOf(NEXT_SECRET), setKeySeal(2, 2, keyOf(NEXT_SECRET)));
    }

    function test_theRingOpensAndRenewsAPause() external {
        pause(3);
        setPause(1, 0, 0);
        run(2, "");
        // The ring has spoken: guardians may pause again at once.
        pause(3);
        (uint40 inUntil, uint40 outUntil) = gateway.pausedUntil();
        eq(inUntil, block.timestamp + 7 days);
        eq(outUntil, block.timestamp + 7 days);
        setPause(3, 0, uint40(block.timestamp + 30 days));
        vm.warp(block.timestamp + 8 days);
        vm.expectPartialRevert(IGateway.Paused.selector);
        this.tryEmpty(4);
    }

    function test_guardiansCannotRenewTheirOwnPause() external {
        pause(2);
        vm.warp(block.timestamp + 14 days - 1);
        Quorum memory quorum = quorumOf(pauseHash(2), 0, 3);
        vm.expectPartialRevert(IGateway.TooEarly.selector);
        gateway.pause(2, quorum);
        // The other direction is not meant by it.
        pause(1);
        vm.warp(block.timestamp + 1);
        pause(2);
    }

    function test_threeGuardiansOfFiveBySignaturesOrCalls() external {
        bytes32 structHash = pauseHash(1);
        Quorum memory quorum = quorumOf(structHash, 1, 2);
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.pause(1, quorum);
        bytes32 digest = gateway.guardianDigest(structHash);
        // A stranger's approval counts for nobody.
        vm.prank(address(0x57a));
        gateway.approve(digest);
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.pause(1, quorum);
        vm.prank(guardians()[4]);
        gateway.approve(digest);
        gateway.pause(1, quorum);
        // The guardians' nonce went on: nothing of it counts again.
        vm.warp(block.timestamp + 20 days);
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.pause(1, quorum);
    }

    function test_noGuardianCountsTwiceAndNoOtherSetCounts() external {
        Quorum memory quorum = quorumOf(pauseHash(1), 0, 1);
        quorum.signatures[1] = quorum.signatures[0];
        quorum.signatures[2] = quorum.signatures[0];
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.pause(1, quorum);
        quorum.threshold = 1;
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.pause(1, quorum);
        quorum = quorumOf(pauseHash(1), 0, 3);
        quorum.guardians[4] = address(this);
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.pause(1, quorum);
        quorum = quorumOf(pauseHash(1), 0, 3);
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.pause(3, quorum);
    }

    function testFuzz_recoveryWaitsForSilenceThenForTheOpen(uint256 silence, uint256 open)
        external
    {
        silence = within(silence, 0, 90 days);
        open = within(open, 0, 30 days);
        bytes32 next = keyOf(NEXT_SECRET);
        vm.warp(block.timestamp + silence);
        Quorum memory quorum = quorumOf(recoverHash(2, next), 0, 3);
        if (silence < 60 days) vm.expectPartialRevert(IGateway.TooEarly.selector);
        gateway.proposeRecovery(2, next, quorum);
        if (silence < 60 days) return;
        vm.warp(block.timestamp + open);
        if (open < 14 days) vm.expectPartialRevert(IGateway.TooEarly.selector);
        gateway.recover();
        (uint32 id,) = gateway.key();
        eq(id, open < 14 days ? 1 : 2);
        if (open < 14 days) return;
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.recover();
    }

    function testFuzz_anyRingSignatureCallsARecoveryOff(uint256 delay, bool late) external {
        // A signature in an old window of nonces counts like one in the newest.
        if (late) run(100, "");
        bytes32 next = keyOf(NEXT_SECRET);
        vm.warp(block.timestamp + 61 days);
        gateway.proposeRecovery(2, next, quorumOf(recoverHash(2, next), 0, 3));
        vm.warp(block.timestamp + within(delay, 0, 14 days));
        heartbeat(late ? 3 : 101);
        vm.warp(block.timestamp + 30 days);
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.recover();
        Quorum memory quorum = quorumOf(recoverHash(2, next), 0, 3);
        vm.expectPartialRevert(IGateway.TooEarly.selector);
        gateway.proposeRecovery(2, next, quorum);
    }

    function test_aRecoveryNeedsAQuorumAndAKey() external {
        vm.warp(block.timestamp + 61 days);
        bytes32 next = keyOf(NEXT_SECRET);
        Quorum memory quorum = quorumOf(recoverHash(2, next), 0, 2);
        vm.expectRevert(IGateway.BadQuorum.selector);
        gateway.proposeRecovery(2, next, quorum);
        quorum = quorumOf(recoverHash(1, next), 0, 3);
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.proposeRecovery(1, next, quorum);
        quorum = quorumOf(recoverHash(2, bytes32(uint256(5))), 0, 3);
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.proposeRecovery(2, bytes32(uint256(5)), quorum);
        vm.expectRevert(IGateway.BadKey.selector);
        gateway.recover();
    }

    function test_whatTightensIsAtOnceAndWhatLoosensWaits() external {
        setToken(1, TokenSetting(ETH, 1, CAPACITY - 1));
        expectToken(ETH, 1, CAPACITY - 1);
        setToken(2, TokenSetting(ETH, 1, CAPACITY));
        expectToken(ETH, 1, CAPACITY - 1);
        vm.expectPartialRevert(IGateway.TooEarly.selector);
        gateway.applyToken(ETH);
        vm.warp(block.timestamp + 7 days);
        gateway.applyToken(ETH);
        expectToken(ETH, 1, CAPACITY);
        setToken(3, TokenSetting(ETH, 0, CAPACITY));
        expectToken(ETH, 0, CAPACITY);
        setToken(4, TokenSetting(ETH, 1, CAPACITY));
        expectToken(ETH, 0, CAPACITY);
        // A second thought calls the announcement off.
        setToken(5, TokenSetting(ETH, 0, CAPACITY));
        vm.warp(block.timestamp + 8 days);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.applyToken(ETH);
    }

    function expectToken(address token, uint8 status, uint104 capacity) private view {
        (uint8 gotStatus, uint104 gotCapacity,) = gateway.tokenOf(token);
        eq(gotStatus, status);
        eq(gotCapacity, capacity);
    }

    function test_guardiansLowerACapAndNeverRaiseIt() external {
        setToken(1, TokenSetting(ETH, 1, CAPACITY + 1));
        Quorum memory quorum = quorumOf(limitHash(ETH, CAPACITY + 1), 2, 3);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.limit(ETH, CAPACITY + 1, quorum);
        gateway.limit(ETH, 5, quorumOf(limitHash(ETH, 5), 2, 3));
        expectToken(ETH, 1, 5);
        vm.warp(block.timestamp + 8 days);
        vm.expectPartialRevert(IGateway.BadToken.selector);
        gateway.applyToken(ETH);
    }

    function test_impossibleTokensAreRefused() external {
        vm.expectPartialRevert(IGateway.BadToken.selector);
        this.trySetting(TokenSetting(ETH, 2, 1));
        vm.expectPartialRevert(IGateway.BadToken.selector);
        this.trySetting(TokenSetting(address(foreign), 3, 1));
    }

    function trySetting(TokenSetting memory setting) external {
        setToken(1, setting);
    }

    function test_theMinterMovesAfterSevenDaysNotice() external {
        address next = address(0x9e47);
        bytes memory message =
            abi.encode(block.chainid, address(gateway), keyId, 1, address(wrapped), next);
        Signature memory seal = sealOf(SECRET, digestOf("eth-move-minter", message));
        gateway.moveMinter(keyId, 1, address(wrapped), next, seal);
        run(2, item(MINT, address(wrapped), USER, 1));
        vm.warp(block.timestamp + 7 days - 1);
        (bool ok,) = address(wrapped).call(abi.encodeWithSignature("moveMinter()"));
        isTrue(!ok, "moved early");
        vm.warp(block.timestamp + 1);
        wrapped.moveMinter();
        run(3, item(MINT, address(wrapped), USER, 1));
        isTrue(isClaim(3, 0), "the old minter mints");
        vm.prank(next);
        wrapped.mint(USER, 1);
        eq(wrapped.balanceOf(USER), 2);
    }

    function test_onlyTheMinterMintsBurnsAndAnnounces() external {
        bytes[3] memory calls = [
            abi.encodeCall(wrapped.mint, (USER, 1)),
            abi.encodeCall(wrapped.burn, (USER, 1)),
            abi.encodeCall(wrapped.announceMinter, (USER))
        ];
        for (uint256 i = 0; i < 3; ++i) {
            (bool ok, bytes memory reason) = address(wrapped).call(calls[i]);
            isTrue(!ok && bytes4(reason) == WrappedToken.NotMinter.selector, "let in");
        }
    }

    function test_theConstructorRefusesABadKeyAndABadQuorum() external {
        TokenSetting[] memory none;
        vm.expectRevert(IGateway.BadKey.selector);
        this.tryDeploy(abi.encode(NETWORK, guardians(), 3, 0, keyOf(SECRET), none));
        vm.expectRevert(IGateway.BadKey.selector);
        this.tryDeploy(abi.encode(NETWORK, guardians(), 3, 1, bytes32(uint256(5)), none));
        vm.expectRevert(IGateway.BadQuorum.selector);
        this.tryDeploy(abi.encode(NETWORK, guardians(), 6, 1, keyOf(SECRET), none));
        vm.expectRevert(IGateway.BadQuorum.selector);
        this.tryDeploy(abi.encode(NETWORK, guardians(), 0, 1, keyOf(SECRET), none));
        address[] memory twice = guardians();
        twice[3] = twice[0];
        vm.expectRevert(IGateway.BadQuorum.selector);
        this.tryDeploy(abi.encode(NETWORK, twice, 3, 1, keyOf(SECRET), none));
    }

    function tryDeploy(bytes memory arguments) external {
        create("Gateway", arguments);
    }
}
