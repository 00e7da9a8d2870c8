/*
 * The least that it takes to bring a stream to many TCP connections: what any server's fan-out is held against.
 *
 * fanout frame|packet PACKETS BYTES RATE
 *
 * Listens on a port of 127.0.0.1, which it prints. To each connection it writes RATE times a second PACKETS packets of
 * BYTES bytes behind interleaved headers: all in one write, or each in its own. For each line that it reads it prints the
 * CPU time that it has used, in seconds. It ends with its input.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_READERS 4096
#define HEADER_BYTES 4
/* A server that fell behind leaves out what is older than this. */
#define MAX_LATE_NS 100000000LL

struct reader {
	int fd;
	/* What the socket did not take of the last write: it takes that before anything else, or frames would break. */
	size_t left_at, left;
};

static struct reader readers[MAX_READERS];
static int reader_count;
static unsigned char *frame;
static size_t frame_bytes;

static long long now_ns(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void drop(int index) {
	close(readers[index].fd);
	readers[index] = readers[--reader_count];
}

/* Writes part of the frame. Returns 1 when all of it was taken, 0 when not, -1 when the reader is gone. */
static int put(struct reader *reader, size_t at, size_t bytes) {
	ssize_t taken = send(reader->fd, frame + at, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (taken < 0 && errno != EAGAIN) return -1;
	if (taken < 0) taken = 0;
	reader->left_at = at + taken;
	reader->left = bytes - taken;
	return reader->left == 0;
}

static void deliver(size_t piece) {
	for (int i = reader_count - 1; i >= 0; i--) {
		struct reader *reader = &readers[i];
		int result = reader->left == 0 ? 1 : put(reader, reader->left_at, reader->left);
		for (size_t at = 0; result == 1 && at < frame_bytes; at += piece) result = put(reader, at, piece);
		if (result < 0) drop(i);
	}
}

/* Packet by packet, each to all readers, as packets come. */
static void deliver_packets(size_t piece) {
	for (size_t at = 0; at < frame_bytes; at += piece) {
		for (int i = reader_count - 1; i >= 0; i--) {
			struct reader *reader = &readers[i];
			int result = reader->left == 0 ? 1 : put(reader, reader->left_at, reader->left);
			if (result == 1) result = put(reader, at, piece);
			if (result < 0) drop(i);
		}
	}
}

static void admit(int listener) {
	int fd = accept(listener, NULL, NULL);
	if (fd < 0) return;
	if (reader_count == MAX_READERS) {
		close(fd);
		return;
	}
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	readers[reader_count++] = (struct reader){.fd = fd};
}

static void print_cpu(void) {
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("%.6f\n", usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	fflush(stdout);
}

int main(int count, char **arguments) {
	if (count != 5) {
		fprintf(stderr, "usage: fanout frame|packet PACKETS BYTES RATE\n");
		return 2;
	}
	int by_packet = strcmp(arguments[1], "packet") == 0;
	int packets = atoi(arguments[2]), bytes = atoi(arguments[3]), rate = atoi(arguments[4]);
	if (packets < 1 || bytes < 1 || bytes > 65535 || rate < 1) return 2;
	signal(SIGPIPE, SIG_IGN);

	size_t piece = HEADER_BYTES + bytes;
	frame_bytes = piece * packets;
	frame = malloc(frame_bytes);
	if (frame == NULL) return 1;
	memset(frame, 0x55, frame_bytes);
	for (size_t at = 0; at < frame_bytes; at += piece) {
		unsigned char header[HEADER_BYTES] = {'$', 0, bytes >> 8, bytes & 0xff};
		memcpy(frame + at, header, HEADER_BYTES);
	}

	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1024) < 0) return 1;
	getsockname(listener, (struct sockaddr *)&address, &length);
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);

	long long period = 1000000000LL / rate, next = now_ns();
	for (;;) {
		long long left = next - now_ns();
		if (left <= 0) {
			if (by_packet) deliver_packets(piece);
			else deliver(frame_bytes);
			long long now = now_ns();
			next += period;
			if (next < now - MAX_LATE_NS) next = now - MAX_LATE_NS;
			continue;
		}
		struct pollfd sockets[] = {{.fd = listener, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
		struct timespec timeout = {.tv_sec = left / 1000000000LL, .tv_nsec = left % 1000000000LL};
		if (ppoll(sockets, 2, &timeout, NULL) <= 0) continue;
		if (sockets[0].revents != 0) admit(listener);
		if (sockets[1].revents != 0) {
			char line[64];
			if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
			print_cpu();
		}
	}
}
