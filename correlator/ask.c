/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The next question, to the witness that can answer it. */
#include "ask.h"
#include "inquiry.h"

void ask_next(struct host *h, struct inquiry *q)
{
	switch (q->answer.next) {
	case ASK_TRACE:
		ask_trace(h, q);
		break;
	case ASK_CALLERS:
		ask_callers(h, q);
		break;
	case ASK_SOCKET:
		ask_socket(h, q, false);
		break;
	case ASK_SOCKET_WIDELY:
		ask_socket(h, q, true);
		break;
	case ASK_HOLDER:
		ask_holder(h, q);
		break;
	case ASK_RECENT:
		ask_recent(h, q);
		break;
	case ASK_PLACE:
		ask_place(h, q);
		break;
	case ASK_USER:
		ask_user(h, q);
		break;
	case ASK_SOCKET_AGAIN:
		ask_socket_again(h, q);
		break;
	case ASK_RECORD:
		ask_record(h, q);
		break;
	case ASK_NOTHING:
	case WAIT_FOR_RECORD:
	case WAIT_FOR_SCAN:
		break;
	}
	inquiry_weigh(q);
}
