/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first serial port, a 16550A with its FIFO. */
#include "guest.h"

#define PORT 0x3f8
#define DATA (PORT + 0)
#define INTERRUPT_ENABLE (PORT + 1)	/* 1: received data */
#define FIFO_CONTROL (PORT + 2)
#define FIFO_CLEARED 0x07		/* on, both emptied, interrupt at the first byte */
#define FIFO_OF_1 0x01
#define FIFO_OF_14 0xc1			/* QEMU passes as many bytes at once as it takes to interrupt */
#define LINE_CONTROL (PORT + 3)		/* 3: 8 bits, no parity; 0x80: DATA and the next port are the divisor */
#define MODEM_CONTROL (PORT + 4)	/* 0xb: DTR, RTS, and the interrupt line is connected */
#define LINE_STATUS (PORT + 5)
#define RECEIVED 0x01
#define CAN_SEND 0x20

#define FIFO_BYTES 16
#define POLLS 400	/* Bochs has the next byte by then */

static u32 room; /* bytes that the sending FIFO takes without being asked again */

void serial_begin(void)
{
	outb(LINE_CONTROL, 0x80);
	outb(DATA, 1);
	outb(INTERRUPT_ENABLE, 0);
	outb(LINE_CONTROL, 0x03);
	outb(FIFO_CONTROL, FIFO_CLEARED);
	outb(MODEM_CONTROL, 0x0b);
	outb(INTERRUPT_ENABLE, 0x01);
}

/*
 * Halts until a byte is there: a guest that polls holds the lock that QEMU needs to pass the next one. An
 * interrupt between sti and hlt is held back by one instruction, so none is lost.
 */
static u8 receive(u32 polls)
{
	while (!(inb(LINE_STATUS) & RECEIVED))
		if (polls)
			polls--;
		else
			asm volatile("sti; hlt; cli");
	return inb(DATA);
}

/* The first byte of a request. */
u8 serial_wait(void)
{
	u8 byte;

	outb(FIFO_CONTROL, FIFO_OF_1);
	byte = receive(0);
	outb(FIFO_CONTROL, FIFO_OF_14);
	return byte;
}

/* The next byte of a request, which is near. */
static u8 serial_get(void)
{
	return receive(POLLS);
}

u32 serial_get_word(void)
{
	u32 word = serial_get();

	word |= serial_get() << 8;
	word |= serial_get() << 16;
	return word | (u32)serial_get() << 24;
}

void serial_put(u8 byte)
{
	while (!room)
		if (inb(LINE_STATUS) & CAN_SEND)
			room = FIFO_BYTES;
	room--;
	outb(DATA, byte);
}

void serial_put_word(u32 word)
{
	serial_put(word);
	serial_put(word >> 8);
	serial_put(word >> 16);
	serial_put(word >> 24);
}
