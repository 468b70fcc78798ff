/* The least that a program with a PTY around a command does: open it, start the command on it, pass on
 * what comes, wait. No size, no signals, no record. What aido adds is compared with what this adds, because
 * a second process costs more on some machines than on others. */
#include <asm/ioctls.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **words) {
  static char bytes[16384];
  int unlock = 0, status = 0;
  int ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (count < 2 || ours < 0 || ioctl(ours, TIOCSPTLCK, &unlock) != 0) return 125;
  int theirs = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (theirs < 0) return 125;
  pid_t child = vfork();
  if (child == 0) {
    setsid();
    ioctl(theirs, TIOCSCTTY, 0);
    for (int stream = 0; stream < 3; stream++) dup2(theirs, stream);
    execv(words[1], words + 1);
    _exit(127);
  }
  close(theirs);
  for (ssize_t length; (length = read(ours, bytes, sizeof bytes)) > 0;)
    if (write(STDOUT_FILENO, bytes, length) != length) return 125;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
