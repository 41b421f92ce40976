#include "blast.h"
void churn_mode(void) { die(1, "churn mode is not built yet%s", "", 0); }
