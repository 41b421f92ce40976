// The BGP finite state machine (RFC 4271 §8.2.2), one for each connection as §8.2.1 has it, as a pure function:
// time is never read, nothing is sent here. An FSM lives from Idle through its states to Idle and is then
// done; the peer starts the next one. Above each branch stands the RFC's rule. Its ConnectRetryCounter is not here: no
// transition asks for it, and how long a peer rests after failures in a row is backoff.ts's.
import { KEEPALIVE, OPEN, ROUTE_REFRESH, UPDATE } from '../../message/index.ts';
import {
  OPEN_HOLD_MS,
  begin,
  connected,
  sendHoldMs,
  sendOpen,
  openAccepted,
  keepalive,
  startHold,
  backToActive,
  abandon,
  notifyAndEnd,
  end,
  to,
  stay,
  startTimer,
  stopTimer,
  holdTimerError,
  collisionError,
  fsmError,
} from './fsm-steps.ts';
import type { FsmEvent, FsmRules, FsmState, FsmStep } from './fsm-types.ts';

export function initialState(rules: FsmRules): FsmState {
  return {
    // An accepted connection meets an FSM that was listening (§8.2.1).
    name: rules.isIncoming ? 'Active' : 'Idle',
    rules,
    isDelayOpenRunning: false,
    isIdleHoldRunning: false,
    holdMs: OPEN_HOLD_MS,
    keepaliveMs: 0,
  };
}

export function step(state: FsmState, event: FsmEvent): FsmStep {
  switch (state.name) {
    case 'Idle':
      return idle(state, event);
    case 'Connect':
      return connect(state, event);
    case 'Active':
      return active(state, event);
    case 'OpenSent':
      return openSent(state, event);
    case 'OpenConfirm':
      return openConfirm(state, event);
    case 'Established':
      return established(state, event);
  }
}

function idle(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.type) {
    // "sets the ConnectRetryCounter to zero, starts the ConnectRetryTimer, initiates a TCP connection, listens"
    case 'manualStart':
      return begin(state);
    // "If DampPeerOscillations is set, the IdleHoldTimer decides when the local system starts again" (§8.1.3)
    case 'automaticStart':
      if (event.idleHoldMs === 0) return begin(state);
      return to({ ...state, isIdleHoldRunning: true }, startTimer('idleHold', event.idleHoldMs));
    case 'idleHoldExpired':
      return begin(state);
    // A start that still waits for its back-off is given up; anything else is ignored in Idle.
    case 'manualStop':
    case 'automaticStop':
    case 'collisionLost':
      return state.isIdleHoldRunning ? end(state, []) : stay(state);
    case 'connectRetryExpired':
    case 'holdExpired':
    case 'keepaliveExpired':
    case 'delayOpenExpired':
    case 'tcpConnected':
    case 'tcpFailed':
    case 'openReceived':
    case 'headerInvalid':
    case 'openInvalid':
    case 'versionNotificationReceived':
    case 'notificationReceived':
    case 'keepaliveReceived':
    case 'updateReceived':
    case 'updateInvalid':
    case 'routeRefreshReceived':
    case 'sendHoldExpired':
      return stay(state);
  }
}

function connect(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.type) {
    // "drops the TCP connection, releases all BGP resources, sets ConnectRetryCounter to zero, goes to Idle"
    case 'manualStop':
      return end(state, [{ type: 'cancelDial' }, { type: 'dropConnection' }]);
    // "drops the TCP connection, restarts the ConnectRetryTimer, stops the DelayOpenTimer, initiates a TCP
    // connection to the other BGP peer, stays in Connect"
    case 'connectRetryExpired':
      return to(
        { ...state, isDelayOpenRunning: false },
        { type: 'cancelDial' },
        { type: 'dropConnection' },
        stopTimer('delayOpen'),
        startTimer('connectRetry', state.rules.connectRetryMs),
        { type: 'dial' },
      );
    // "sends an OPEN message, sets the HoldTimer to a large value, goes to OpenSent"
    case 'delayOpenExpired':
      return sendOpen(state);
    case 'tcpConnected':
      return connected(state);
    // DelayOpenTimer running: "restarts the ConnectRetryTimer, stops the DelayOpenTimer, continues to listen,
    // goes to Active"; not running: "stops the ConnectRetryTimer, drops the TCP connection, goes to Idle".
    // The failure counts, so that back-off grows (FSM-8).
    case 'tcpFailed':
      if (state.isDelayOpenRunning) return backToActive(state);
      return end(state, [{ type: 'cancelDial' }, { type: 'dropConnection' }]);
    // Event 20: "sends an OPEN, sends a KEEPALIVE, … goes to OpenConfirm"
    case 'openReceived':
      if (state.isDelayOpenRunning) return openAccepted(state, event, [{ type: 'sendOpen' }]);
      return abandon(state);
    // "If the DelayOpenTimer is running, sends a NOTIFICATION" is what an OPEN error means while it runs (§8.2.2)
    case 'openInvalid':
    case 'headerInvalid':
      return state.isDelayOpenRunning ? notifyAndEnd(state, event.error) : abandon(state);
    // Event 24 with DelayOpenTimer running: no penalty.
    case 'versionNotificationReceived':
      return state.isDelayOpenRunning ? end(state, [{ type: 'dropConnection' }]) : abandon(state);
    // A connection elsewhere won: stopped silently, nothing was sent here.
    case 'collisionLost':
      return end(state, [{ type: 'cancelDial' }, { type: 'dropConnection' }]);
    case 'manualStart':
    case 'automaticStart':
      return stay(state);
    // "In response to any other event (8, 10-11, 13, 19, 23, 25-28): … increments the ConnectRetryCounter, Idle"
    case 'automaticStop':
    case 'holdExpired':
    case 'keepaliveExpired':
    case 'idleHoldExpired':
    case 'notificationReceived':
    case 'keepaliveReceived':
    case 'updateReceived':
    case 'updateInvalid':
    case 'routeRefreshReceived':
    case 'sendHoldExpired':
      return abandon(state);
  }
}

function active(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.type) {
    // "If the DelayOpenTimer is running and SendNOTIFICATIONwithoutOPEN is set, sends a Cease; …, Idle"
    case 'manualStop':
      return end(state, [{ type: 'dropConnection' }]);
    // "restarts the ConnectRetryTimer, initiates a TCP connection, goes to Connect"
    case 'connectRetryExpired':
      if (state.rules.isPassive || state.rules.isIncoming) return stay(state);
      return {
        state: { ...state, name: 'Connect', isDelayOpenRunning: false },
        actions: [
          stopTimer('delayOpen'),
          { type: 'dropConnection' },
          startTimer('connectRetry', state.rules.connectRetryMs),
          { type: 'dial' },
        ],
      };
    case 'delayOpenExpired':
      return sendOpen(state);
    case 'tcpConnected':
      return connected(state);
    // "restarts the ConnectRetryTimer, stops and clears the DelayOpenTimer, increments the counter, goes to Idle"
    case 'tcpFailed':
      return end(state, [{ type: 'dropConnection' }]);
    // Event 20, as in Connect
    case 'openReceived':
      if (state.isDelayOpenRunning) return openAccepted(state, event, [{ type: 'sendOpen' }]);
      return abandon(state);
    case 'openInvalid':
    case 'headerInvalid':
      return state.isDelayOpenRunning ? notifyAndEnd(state, event.error) : abandon(state);
    case 'versionNotificationReceived':
      return state.isDelayOpenRunning ? end(state, [{ type: 'dropConnection' }]) : abandon(state);
    case 'collisionLost':
      return end(state, [{ type: 'dropConnection' }]);
    case 'manualStart':
    case 'automaticStart':
      return stay(state);
    // "In response to any other event (8, 10-11, 13, 19, 23, 25-28): … increments the counter, goes to Idle"
    case 'automaticStop':
    case 'holdExpired':
    case 'keepaliveExpired':
    case 'idleHoldExpired':
    case 'notificationReceived':
    case 'keepaliveReceived':
    case 'updateReceived':
    case 'updateInvalid':
    case 'routeRefreshReceived':
    case 'sendHoldExpired':
      return abandon(state);
  }
}

function openSent(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.type) {
    // "sends the NOTIFICATION with a Cease, …, sets the ConnectRetryCounter to zero, goes to Idle"
    case 'manualStop':
      return notifyAndEnd(state, event.error);
    // "sends the NOTIFICATION with a Cease, …, increments the counter, goes to Idle"
    case 'automaticStop':
      return notifyAndEnd(state, event.error);
    // "sends a NOTIFICATION with the error code Hold Timer Expired, …, increments the counter, goes to Idle"
    case 'holdExpired':
      return notifyAndEnd(state, holdTimerError());
    // "closes the BGP connection, restarts the ConnectRetryTimer, continues to listen, goes to Active"
    case 'tcpFailed':
      if (state.rules.isIncoming) return end(state, [{ type: 'dropConnection' }]);
      return backToActive(state);
    // "resets the DelayOpenTimer to zero, sets the ConnectRetryTimer to zero, sends a KEEPALIVE, sets a
    // KeepaliveTimer, sets the HoldTimer to the negotiated value, goes to OpenConfirm"
    case 'openReceived':
      return openAccepted(state, event, []);
    // "sends a NOTIFICATION with the appropriate error code, …, increments the counter, goes to Idle"
    case 'headerInvalid':
    case 'openInvalid':
    case 'updateInvalid':
      return notifyAndEnd(state, event.error);
    // "sends a NOTIFICATION with a Cease (here 6/7, RFC 4486), …, goes to Idle"; a lost collision is no failure
    case 'collisionLost':
      return notifyAndEnd(state, collisionError());
    // "releases all BGP resources, drops the TCP connection, goes to Idle": no penalty
    case 'versionNotificationReceived':
      return end(state, [{ type: 'dropConnection' }]);
    case 'notificationReceived':
      return end(state, [{ type: 'dropConnection' }]);
    // RFC 6608: unexpected message in OpenSent, data is its type
    case 'keepaliveReceived':
      return notifyAndEnd(state, fsmError(1, KEEPALIVE));
    case 'updateReceived':
      return notifyAndEnd(state, fsmError(1, UPDATE));
    case 'routeRefreshReceived':
      return notifyAndEnd(state, fsmError(1, ROUTE_REFRESH));
    case 'manualStart':
    case 'automaticStart':
      return stay(state);
    // No such timer runs here, and there is only one connection.
    case 'connectRetryExpired':
    case 'keepaliveExpired':
    case 'delayOpenExpired':
    case 'idleHoldExpired':
    case 'sendHoldExpired':
    case 'tcpConnected':
      return stay(state);
  }
}

function openConfirm(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.type) {
    case 'manualStop':
      return notifyAndEnd(state, event.error);
    case 'automaticStop':
      return notifyAndEnd(state, event.error);
    // "sends the NOTIFICATION with the error code Hold Timer Expired, …, Idle"
    case 'holdExpired':
      return notifyAndEnd(state, holdTimerError());
    // "sends a KEEPALIVE, restarts the KeepaliveTimer, stays"
    case 'keepaliveExpired':
      return keepalive(state);
    // Events 18 and 25: "drops the TCP connection, increments the counter, goes to Idle"
    case 'tcpFailed':
    case 'notificationReceived':
      return end(state, [{ type: 'dropConnection' }]);
    case 'versionNotificationReceived':
      return end(state, [{ type: 'dropConnection' }]);
    case 'headerInvalid':
    case 'openInvalid':
    case 'updateInvalid':
      return notifyAndEnd(state, event.error);
    // A second OPEN on this very connection cannot be a collision (RFC 6608 §3: subcode 2).
    case 'openReceived':
      return notifyAndEnd(state, fsmError(2, OPEN));
    case 'collisionLost':
      return notifyAndEnd(state, collisionError());
    // "restarts the HoldTimer, goes to Established"
    case 'keepaliveReceived':
      return {
        state: { ...state, name: 'Established' },
        actions: [
          ...startHold(state),
          ...(state.holdMs === 0 ? [] : [startTimer('sendHold', sendHoldMs(state.holdMs))]),
          { type: 'established' },
        ],
      };
    // "any other event (9, 12-13, 20, 27-28): sends a NOTIFICATION with Finite State Machine Error"; RFC 6608 §3: 2
    case 'updateReceived':
      return notifyAndEnd(state, fsmError(2, UPDATE));
    case 'routeRefreshReceived':
      return notifyAndEnd(state, fsmError(2, ROUTE_REFRESH));
    case 'manualStart':
    case 'automaticStart':
    case 'connectRetryExpired':
    case 'delayOpenExpired':
    case 'idleHoldExpired':
    case 'sendHoldExpired':
    case 'tcpConnected':
      return stay(state);
  }
}

function established(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.type) {
    // "sends the NOTIFICATION with a Cease, …, deletes all routes, sets the counter to zero, goes to Idle"
    case 'manualStop':
      return notifyAndEnd(state, event.error);
    case 'automaticStop':
      return notifyAndEnd(state, event.error);
    case 'holdExpired':
      return notifyAndEnd(state, holdTimerError());
    // RFC 9687 §3.1: "sends a NOTIFICATION with error code Send Hold Timer Expired if it can, drops the TCP
    // connection": it cannot, the other side takes nothing.
    case 'sendHoldExpired':
      return end(state, [{ type: 'dropConnection' }]);
    case 'keepaliveExpired':
      return keepalive(state);
    case 'tcpFailed':
    case 'notificationReceived':
    case 'versionNotificationReceived':
      return end(state, [{ type: 'dropConnection' }]);
    // "restarts its HoldTimer, if the negotiated HoldTime value is non-zero, and remains in Established"
    case 'keepaliveReceived':
    case 'updateReceived':
      return { state, actions: startHold(state) };
    case 'routeRefreshReceived':
      return stay(state);
    case 'headerInvalid':
    case 'updateInvalid':
      return notifyAndEnd(state, event.error);
    // RFC 6608 §3: unexpected message in Established
    case 'openReceived':
    case 'openInvalid':
      return notifyAndEnd(state, fsmError(3, OPEN));
    case 'collisionLost':
      return notifyAndEnd(state, collisionError());
    case 'manualStart':
    case 'automaticStart':
    case 'connectRetryExpired':
    case 'delayOpenExpired':
    case 'idleHoldExpired':
    case 'tcpConnected':
      return stay(state);
  }
}
