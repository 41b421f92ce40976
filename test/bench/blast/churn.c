#include "blast.h"
void churn_mode(void) {}
