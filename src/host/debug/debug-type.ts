/** The type of launch configurations of runs. */
export const DEBUG_TYPE = 'nablascope';
