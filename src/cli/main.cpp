#include "cli/application.h"

int main(int argc, char** argv) { return aios::run_application(argc, argv); }
