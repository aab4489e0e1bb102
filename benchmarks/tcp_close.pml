/* How a TCP connection ends, in Promela: the instance of fixed_instance.py, written by hand.
 *
 *	spin -a -DD=2 -DK=3 -DR=1 tcp_close.pml
 *	cc -O3 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m10000 -w22
 *
 * D	units of text that a user may send
 * K	segments that the network holds in each direction
 * R	retransmissions of an end, of text and FIN together, after which it gives up
 * BAG	1: segments overtake each other; 0: they keep their order
 * DUP	1: the network copies segments
 * LIVENESS	defined: with the claim that both ends reach CLOSED; for pan -a, or -a -f
 *
 * Written for speed where that costs no clarity: a step is one d_step, a direction of the network
 * is one int, and nothing is stored that a state does not need.
 */
#ifndef D
#define D	1
#endif
#ifndef K
#define K	1
#endif
#ifndef R
#define R	1
#endif
#ifndef BAG
#define BAG	0
#endif
#ifndef DUP
#define DUP	0
#endif

#define me	_pid
#define peer	(1 - _pid)

mtype = { ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSING, TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSED };

mtype	state[2] = ESTABLISHED;
byte	snd_nxt[2];	/* the number of what is sent next: text from 0 on, then the FIN */
byte	snd_una[2];	/* the lowest number that the peer has not acknowledged */
byte	rcv_nxt[2];	/* the number of what is taken next */
byte	resent[2];	/* retransmissions so far */

#define MAY_SEND	(state[me] == ESTABLISHED || state[me] == CLOSE_WAIT)
#define FIN_IS_OUT	(state[me] == FIN_WAIT_1 || state[me] == CLOSING || state[me] == LAST_ACK)
#define FIN_IS_OLDEST	(FIN_IS_OUT && snd_una[me] + 1 == snd_nxt[me])
#define ALL_IS_ACKED	(snd_una[me] == snd_nxt[me])
#define UNACKED		(state[me] != CLOSED && !ALL_IS_ACKED)

/* A segment is a number and never 0.  It tells the load (nothing, or which unit of text, or a FIN
 * and its number) and up to where it acknowledges.
 */
#define ACKS		(D + 2)
#define SEGMENT(load)	(1 + ACKS * (load) + rcv_nxt[me])
#define LOAD(segment)	(((segment) - 1) / ACKS)
#define ACK(segment)	(((segment) - 1) % ACKS)

#define NOTHING		0
#define TEXT(number)	(1 + (number))
#define FIN(number)	(1 + D + (number))

#if D <= 1
#define BITS	4
#elif D == 2
#define BITS	5
#else
#define BITS	6
#endif
#if D > 4 || K > 5
#error "K segments must fit into one int: D is at most 4, K at most 5"
#endif

/* wire[e] is what end e has sent and has not arrived: K places of BITS bits, filled from the low
 * end, in the order of sending.  In a bag the order is that of the segments' values, so that two
 * bags are equal if their ints are.
 */
int	wire[2];

#define PLACE(w, n)	(w >> BITS * (n) & (1 << BITS) - 1)
#define BELOW(w, n)	(w & (1 << BITS * (n)) - 1)
#define FROM(w, n)	(w >> BITS * (n))
#define HAS_ROOM(w)	(PLACE(w, K - 1) == 0)

/* Equal neighbours count once; n - (n > 0) is the place before, and keeps the shift from being
 * negative for the first.
 */
#define IS_FIRST(w, n)	(PLACE(w, n) && (n == 0 || PLACE(w, n) != PLACE(w, n - (n > 0))))

#if BAG
#define IS_BEFORE(w, n, segment)	(PLACE(w, n) && PLACE(w, n) <= (segment))
#else
#define IS_BEFORE(w, n, segment)	(PLACE(w, n) > 0)
#endif

/* How many segments stand before a new one, given that the last place is free. */
#if K == 1
#define RANK(w, segment)	0
#elif K == 2
#define RANK(w, segment)	IS_BEFORE(w, 0, segment)
#elif K == 3
#define RANK(w, segment)	(IS_BEFORE(w, 0, segment) + IS_BEFORE(w, 1, segment))
#elif K == 4
#define RANK(w, segment)	(IS_BEFORE(w, 0, segment) + IS_BEFORE(w, 1, segment) \
				+ IS_BEFORE(w, 2, segment))
#else
#define RANK(w, segment)	(IS_BEFORE(w, 0, segment) + IS_BEFORE(w, 1, segment) \
				+ IS_BEFORE(w, 2, segment) + IS_BEFORE(w, 3, segment))
#endif

#define INSERT(w, n, segment)	w = BELOW(w, n) | (segment | FROM(w, n) << BITS) << BITS * (n)
#define REMOVE(w, n)		w = BELOW(w, n) | FROM(w, n + 1) << BITS * (n)

inline send(load)
{
	INSERT(wire[me], RANK(wire[me], SEGMENT(load)), SEGMENT(load))
}

/* SEGMENT ARRIVES: the ACK, then the text or the FIN, then the answer. */
inline arrive(segment)
{
	if
	:: state[me] == CLOSED
	:: else ->
		if
		:: ACK(segment) > snd_una[me] -> snd_una[me] = ACK(segment)
		:: else
		fi;
		if
		:: state[me] == FIN_WAIT_1 && ALL_IS_ACKED -> state[me] = FIN_WAIT_2
		:: state[me] == CLOSING    && ALL_IS_ACKED -> state[me] = TIME_WAIT
		:: state[me] == LAST_ACK   && ALL_IS_ACKED -> state[me] = CLOSED
		:: else
		fi;
		if
		:: LOAD(segment) == NOTHING || state[me] == CLOSED
		:: else ->
			if
			:: rcv_nxt[me] < D && LOAD(segment) == TEXT(rcv_nxt[me]) -> rcv_nxt[me]++
			:: LOAD(segment) == FIN(rcv_nxt[me]) ->
				rcv_nxt[me]++;
				if
				:: state[me] == ESTABLISHED -> state[me] = CLOSE_WAIT
				:: state[me] == FIN_WAIT_1  -> state[me] = CLOSING
				:: state[me] == FIN_WAIT_2  -> state[me] = TIME_WAIT
				fi
			:: else
			fi;
			if
			:: HAS_ROOM(wire[me]) -> send(NOTHING)
			:: else			/* the answer is lost */
			fi
		fi
	fi
}

/* What can happen to the segment in place n on its way to me. */
#define ARRIVES(n)	:: d_step { IS_FIRST(wire[peer], n) -> \
				arrive(PLACE(wire[peer], n)); REMOVE(wire[peer], n) }
#define IS_LOST(n)	:: d_step { IS_FIRST(wire[peer], n) -> REMOVE(wire[peer], n) }
#if BAG
#define OVERTAKES(n)	ARRIVES(n)
#else
#define OVERTAKES(n)
#endif
#if DUP
#define IS_COPIED(n)	:: d_step { IS_FIRST(wire[peer], n) && HAS_ROOM(wire[peer]) -> \
				INSERT(wire[peer], n, PLACE(wire[peer], n)) }
#else
#define IS_COPIED(n)
#endif

active [2] proctype tcp()
{
end:	do
	/* SEND and CLOSE */
	:: d_step { MAY_SEND && snd_nxt[me] < D && HAS_ROOM(wire[me]) ->
		send(TEXT(snd_nxt[me])); snd_nxt[me]++ }
	:: d_step { MAY_SEND && HAS_ROOM(wire[me]) ->
		send(FIN(snd_nxt[me])); snd_nxt[me]++;
		state[me] = (state[me] == ESTABLISHED -> FIN_WAIT_1 : LAST_ACK) }

	/* the retransmission timer, as long as the budget lasts; then the end gives up */
	:: d_step { UNACKED && resent[me] < R && HAS_ROOM(wire[me]) ->
		if
		:: FIN_IS_OLDEST -> send(FIN(snd_una[me]))
		:: else -> send(TEXT(snd_una[me]))
		fi;
		resent[me]++ }
	:: d_step { UNACKED && resent[me] == R -> state[me] = CLOSED }

	/* the other two timers */
	:: d_step { state[me] == FIN_WAIT_2 && state[peer] == CLOSED && wire[peer] == 0 ->
		state[me] = CLOSED }
	:: d_step { state[me] == TIME_WAIT && wire[me] == 0 && wire[peer] == 0 -> state[me] = CLOSED }

	/* the network */
	ARRIVES(0)
	IS_LOST(0)
	IS_COPIED(0)
#if K > 1
	OVERTAKES(1)
	IS_LOST(1)
	IS_COPIED(1)
#endif
#if K > 2
	OVERTAKES(2)
	IS_LOST(2)
	IS_COPIED(2)
#endif
#if K > 3
	OVERTAKES(3)
	IS_LOST(3)
	IS_COPIED(3)
#endif
#if K > 4
	OVERTAKES(4)
	IS_LOST(4)
	IS_COPIED(4)
#endif
	od
}

#ifdef LIVENESS
ltl both_closed { <> (state[0] == CLOSED && state[1] == CLOSED) }
#endif
