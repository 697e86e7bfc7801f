/* basewatch: which of your images sit on a base that has moved. */
#include "command/command.h"

int main(int argc, char **argv)
{
	return (int)bw_command_main(argc, argv);
}
