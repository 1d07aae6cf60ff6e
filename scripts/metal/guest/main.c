/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's start, its conversation with the harness, and its end.
 *
 * It begins by writing GREETING, which the harness looks for behind whatever a BIOS wrote. Then the harness
 * sends requests, each a letter and what belongs to it, and the guest answers each with the small letter:
 *
 *	V word			the variant that it shall be (guest.h); a length, 1, and the features of the CPU
 *				follow the answer
 *	M			a batch of programs lies in the mailbox; with the answer, their traces do
 *	S length, words		a batch by way of the serial port; a length and the traces follow the answer
 *
 * Programs and traces are those of model/formats.md (Binary encoding), each behind its length. A guest that
 * cannot go on writes P and a text that ends with a zero byte.
 */
#include <stdarg.h>
#include "guest.h"

#define GREETING "\nshadowdiff-metal/1\n"

__attribute__((used)) static const char sources[] = "sources " SOURCES; /* build.sh */

u32 variant;

static void run_batch(void)
{
	const u32 *at = mailbox->in, *end = at + mailbox->words_in;

	mailbox->words_out = 0;
	for (mailbox->program = 0; at < end; mailbox->program++) {
		u32 length = *at++;

		if (length > (u32)(end - at))
			die("a batch that breaks off");
		run_program(at, at + length);
		at += length;
	}
}

static void serve_from_memory(void)
{
	if (mailbox->words_in > COUNT(mailbox->in))
		die("a batch of %x words", mailbox->words_in);
	run_batch();
	serial_put('m');
}

static void serve_from_serial(void)
{
	u32 length = serial_get_word(), i;

	if (length > COUNT(mailbox->in))
		die("a batch of %x words", length);
	mailbox->words_in = length;
	for (i = 0; i < length; i++)
		mailbox->in[i] = serial_get_word();
	run_batch();
	serial_put('s');
	serial_put_word(mailbox->words_out);
	for (i = 0; i < mailbox->words_out; i++)
		serial_put_word(mailbox->out[i]);
}

/* Interrupts and exceptions: a gate for each, for CPL 3 if it may use it (SDM 6.11). */

struct gate {
	u16 offset_low, selector;
	u8 zero, type;
	u16 offset_high;
} __attribute__((packed));

#define INTERRUPT_GATE 0x8e
#define FOR_CPL_3 0x60

static struct gate gates[VECTORS];

static void set_gate(u32 vector, u32 entry, u8 privilege)
{
	gates[vector] = (struct gate){
		.offset_low = entry, .selector = KERNEL_CODE, .type = INTERRUPT_GATE | privilege, .offset_high = entry >> 16,
	};
}

static void build_gates(void)
{
	extern const u32 trap_entries[20], interrupt_entry, done_entry;
	extern const u8 fetched[];
	struct { u16 limit; u32 base; } __attribute__((packed)) pointer = { sizeof gates - 1, (u32)gates };
	u32 vector;

	for (vector = 0; vector < VECTORS; vector++)
		set_gate(vector, vector < 20 ? trap_entries[vector] : interrupt_entry, 0);
	set_gate(VECTOR_DONE, done_entry, FOR_CPL_3);
	for (vector = 0; vector < RAM_PAGES; vector++)
		set_gate(VECTOR_FETCHED + vector, (u32)fetched + 16 * vector, FOR_CPL_3);
	asm volatile("lidt %0" : : "m"(pointer));
}

/* The task-state segment says on which stack a trap from CPL 3 lands (SDM 7.2.1). */

static u32 task[26];

static void build_task(void)
{
	extern u64 gdt_task;
	extern u8 trap_stack_end;
	u32 base = (u32)task;

	task[1] = (u32)&trap_stack_end;
	task[2] = KERNEL_DATA;
	gdt_task = (u64)(base >> 24) << 56 | 0x89ull << 40 | (u64)(base & 0xffffff) << 16 | (sizeof task - 1);
	asm volatile("ltr %w0" : : "r"(TASK));
}

/*
 * Both interrupt controllers: vectors from VECTOR_IRQ, and of all lines only the serial port's (IRQ 4) open.
 */
static void build_interrupts(void)
{
	static const u16 controller[2] = { 0x20, 0xa0 };
	static const u8 cascade[2] = { 4, 2 }, mask[2] = { 0xef, 0xff };
	u32 i;

	for (i = 0; i < 2; i++) {
		outb(controller[i], 0x11);
		outb(controller[i] + 1, VECTOR_IRQ + 8 * i);
		outb(controller[i] + 1, cascade[i]);
		outb(controller[i] + 1, 0x01);
		outb(controller[i] + 1, mask[i]);
	}
}

static void put_text(const char *text)
{
	while (*text)
		serial_put(*text++);
}

void main(void)
{
	build_gates();
	build_task();
	build_interrupts();
	build_tables();
	serial_begin();
	put_text(GREETING);
	for (;;) {
		u8 request = serial_wait();

		switch (request) {
		case 'V':
			variant = serial_get_word();
			serial_put('v');
			serial_put_word(1);
			serial_put_word(cpu_features());
			break;
		case 'M':
			serve_from_memory();
			break;
		case 'S':
			serve_from_serial();
			break;
		default:
			die("request %x, which there is not", request);
		}
	}
}

/* The end. */

static void put_hex(u32 number)
{
	int shift = 28;

	while (shift > 0 && !(number >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		serial_put("0123456789abcdef"[number >> shift & 15]);
}

/* Understands %x alone. */
void die(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	serial_put('P');
	for (; *format; format++) {
		if (format[0] == '%' && format[1] == 'x') {
			put_text("0x");
			put_hex(va_arg(values, u32));
			format++;
		} else {
			serial_put(*format);
		}
	}
	serial_put('\0');
	va_end(values);
	for (;;)
		asm volatile("cli; hlt");
}

/* As entry.S pushes it. */
struct frame {
	u32 cr2, cr3;
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
	u32 vector, code, eip, cs, eflags;
};

__attribute__((noreturn)) void trapped(const struct frame *frame)
{
	die("exception %x, code %x, at cs %x eip %x eflags %x; cr2 %x cr3 %x; "
	    "eax %x ebx %x ecx %x edx %x esi %x edi %x ebp %x esp %x",
	    frame->vector, frame->code, frame->cs, frame->eip, frame->eflags, frame->cr2, frame->cr3,
	    frame->eax, frame->ebx, frame->ecx, frame->edx, frame->esi, frame->edi, frame->ebp, frame->esp);
}
