/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SOCKLEDGER_JUDGE_RIG_H
#define SOCKLEDGER_JUDGE_RIG_H

/*
 * A judge with all parts that the daemon would give it, over the made-up host of fake-host.h.  One,
 * static.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "fake-host.h"
#include "judge.h"
#include "observe.h"

/* Begins anew, with a fresh host; dies where the policy has mistakes. */
void rig_begin(const char *policy, bool trace);
/* Ends the judge; its parked packets get their verdicts.  A second call does nothing. */
void rig_end(void);

void rig_policy(const char *policy);
/* The configuration, to be changed at will. */
struct config *rig_config(void);
struct host *rig_host(void);
/* A file is known that was being read. */
void rig_hashes_came(void);

/* One packet, as the daemon would show it.  Its id: 0, 1, ... */
uint32_t rig_packet(const uint8_t *data, size_t len, uint8_t hook, uint32_t mark, int64_t uid);
/* One record, as the daemon would show it: observer first. */
const struct outcome *rig_record(struct event *e);
int rig_turn(void);
/* As the daemon does where nothing has come for a while. */
void rig_read_trace(void);
/* Whether the plugin is there: it is, at the beginning. */
void rig_plugin(bool there);
void rig_publish(void);
void rig_pass_us(int64_t us);
/* How many packets there were. */
uint32_t rig_packets(void);
/* The next packets have waited in the queue for as long, at most. */
void rig_lag_us(int64_t us);

/* An IP packet with ports: head of 20 or 40 bytes and 20 of the transport; its length. */
size_t rig_ip(uint8_t to[64], int protocol, const struct endpoint *src, const struct endpoint *dst);

#endif
